using System.Text.Json;

namespace Gateway.Bots;

/// <summary>Another bot of the workspace, as a tool.</summary>
internal sealed class MemberTool(BotCatalog bots, TeamMember member, string description) : BotTool
{
    private static readonly byte[] Schema =
    [
        .. """
        {"type":"object","properties":{"message":{"type":"string","description":"What you ask, with all that is needed to answer it."}},"required":["message"]}
        """u8,
    ];

    public override string Name => NameFor(member.Bot);

    public override ToolKind Kind => ToolKind.Member;

    public override string Description => description;

    public override ReadOnlyMemory<byte> Parameters => Schema;

    /// <summary>None of its own: it has what the turn has.</summary>
    public override TimeSpan Timeout => System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>Whether its answer becomes the turn's answer.</summary>
    public bool IsHandoff => member.IsHandoff;

    public static string NameFor(string bot) => $"ask_{bot}" is { Length: > 64 } name ? name[..64] : $"ask_{bot}";

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel)
    {
        if (Message(arguments) is not { } message)
        {
            return ToolResult.Failed("'message' must be a text that is not empty.");
        }

        if (turn.Scope is not { } asker || await FindAsync(turn, cancel) is not { } bot)
        {
            return ToolResult.Failed("This assistant is not available now.");
        }

        return await asker.Turns.AskAsync(asker, bot, message, cancel);
    }

    /// <summary>The member itself; null when it is not there any more, or cannot be read now.</summary>
    public async ValueTask<Bot?> FindAsync(TurnContext turn, CancellationToken cancel)
    {
        var (bot, _) = await bots.GetAsync(turn.Caller, member.Bot, cancel);
        return bot;
    }

    /// <summary>What it is asked; null when the model did not say.</summary>
    public static string? Message(JsonElement arguments) =>
        JsonParts.Text(arguments, "message"u8) is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;
}
