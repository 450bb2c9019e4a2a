using System.Text.Json;
using Gateway.Http;

namespace Gateway.Bots;

/// <summary>Which tools a step offers.</summary>
/// <param name="OfBot">Whether the bot's own are among them.</param>
/// <param name="OfCaller">As the caller wrote them.</param>
/// <param name="Choice">The request's <c>tool_choice</c>; null: none is sent.</param>
internal sealed record ToolOffer(bool OfBot, IReadOnlyList<ReadOnlyMemory<byte>> OfCaller, ReadOnlyMemory<byte>? Choice);

/// <summary>The caller's tools and its word on their use. Pure.</summary>
internal sealed class CallerTools
{
    private static readonly byte[] NoChoice = [.. "\"none\""u8];

    private readonly List<(string Name, ReadOnlyMemory<byte> Json)> _all = [];
    private ReadOnlyMemory<byte>? _choice;
    private bool _isOff;
    private bool _mustCall;
    private HashSet<string>? _allowed;

    private CallerTools()
    {
    }

    public static CallerTools None { get; } = new();

    /// <param name="tools">The request's <c>tools</c>; null: none. So with <paramref name="choice"/>.</param>
    public static CallerTools Read(ReadOnlyMemory<byte>? tools, ReadOnlyMemory<byte>? choice)
    {
        var read = new CallerTools { _choice = choice };
        if (tools is { } list)
        {
            using var json = JsonDocument.Parse(list);
            foreach (var tool in json.RootElement.EnumerateArray())
            {
                read._all.Add((NameOf(tool) ?? "", JsonParts.Raw(tool)));
            }
        }

        if (choice is { } chosen)
        {
            using var json = JsonDocument.Parse(chosen);
            read.Choose(json.RootElement);
        }

        return read;
    }

    public bool Has(string name) => !_isOff && _all.Exists(tool => tool.Name == name);

    /// <summary>Why the request is refused: one of these has the name of one of the bot's. Null: none has.</summary>
    public ApiError? Clash(Toolset own)
    {
        var at = _all.FindIndex(tool => own.Find(tool.Name) is not null);
        return at < 0 ? null : ApiError.InvalidValue(
            $"tools[{at}].function.name", $"this bot has a tool of its own named '{_all[at].Name}'; give yours another name.");
    }

    /// <summary>What a step offers of a bot that has tools of its own.</summary>
    /// <param name="isOnly">There is time for no other step, so that tools of the bot's own would be of no use.</param>
    /// <param name="isAnswer">The model is to answer with what it knows.</param>
    public ToolOffer Offer(bool isOnly, bool isAnswer)
    {
        // A call of the caller's ends the turn, so where one has to be made there is no use for others.
        if (_mustCall || (isOnly && _all.Count > 0))
        {
            return new ToolOffer(false, All(), _choice);
        }

        var offered = _isOff ? [] : _allowed is null ? All() : [.. _all.Where(t => _allowed.Contains(t.Name)).Select(t => t.Json)];
        return new ToolOffer(true, offered, isAnswer || isOnly ? NoChoice : default(ReadOnlyMemory<byte>?));
    }

    private List<ReadOnlyMemory<byte>> All() => [.. _all.Select(tool => tool.Json)];

    private void Choose(JsonElement choice)
    {
        if (choice.ValueKind == JsonValueKind.String)
        {
            _isOff = choice.ValueEquals("none"u8);
            _mustCall = !_isOff && !choice.ValueEquals("auto"u8);
            return;
        }

        if (choice.ValueKind == JsonValueKind.Object
            && choice.TryGetProperty("allowed_tools", out var allowed) && JsonParts.Text(allowed, "mode"u8) == "auto")
        {
            _allowed = [.. JsonParts.Items(allowed, "tools").Select(NameOf).OfType<string>()];
            return;
        }

        _mustCall = true;
    }

    private static string? NameOf(JsonElement tool) =>
        tool.ValueKind != JsonValueKind.Object ? null
        : tool.TryGetProperty("function", out var function) ? JsonParts.Text(function, "name"u8)
        : tool.TryGetProperty("custom", out var custom) ? JsonParts.Text(custom, "name"u8)
        : null;
}
