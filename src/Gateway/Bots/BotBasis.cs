using System.Text;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>What all turns of a bot begin with, read from it by the first of them. Safe for concurrent use.</summary>
internal sealed class BotBasis
{
    private readonly byte[][] _locked;
    private Story? _story;

    public BotBasis(Bot bot)
    {
        Bot = bot;
        JsonBody.TryRead(bot.Parameters, null, out var own, out _);
        (Parameters, OutputLimit, ModelJson) = (own, OutputLimit.Of(own), UpstreamBody.JsonName(bot.Model));
        _locked = [.. bot.LockedParameters.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>A backstory as it reads at one minute in one workspace.</summary>
    /// <param name="Minute">Since the year 1.</param>
    /// <param name="Prompt">Of a turn that has nothing to add to it.</param>
    private sealed record Story(string Workspace, long Minute, string Text, SystemPrompt Prompt);

    public Bot Bot { get; }

    public JsonBody Parameters { get; }

    public OutputLimit OutputLimit { get; }

    /// <summary>The model's name as a JSON string.</summary>
    public byte[] ModelJson { get; }

    /// <summary>Whether the caller has no say in a parameter.</summary>
    public bool IsLocked(ReadOnlySpan<byte> name)
    {
        foreach (var locked in _locked)
        {
            if (name.SequenceEqual(locked))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The backstory, its placeholders filled in, and the system prompt that it is by itself.</summary>
    public (string Text, SystemPrompt Prompt) Tell(string workspace, DateTimeOffset now)
    {
        // Nothing that is filled in changes within a minute.
        var minute = now.UtcTicks / TimeSpan.TicksPerMinute;
        if (_story is not { } story || story.Minute != minute || story.Workspace != workspace)
        {
            var text = Backstory.Expand(Bot.Backstory, Bot.Name, workspace, now);
            _story = story = new Story(workspace, minute, text, SystemPrompt.Of(Backstory.Compose(text, [])));
        }

        return (story.Text, story.Prompt);
    }
}

/// <summary>A system prompt, and the message that it is sent as.</summary>
/// <param name="Message">JSON, UTF-8; empty when there is no prompt.</param>
internal sealed record SystemPrompt(string Text, byte[] Message)
{
    public static SystemPrompt Of(string text) => new(text, text.Length == 0 ? [] : JsonParts.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("role", "system");
        json.WriteString("content", text);
        json.WriteEndObject();
    }));
}
