using ChatKit;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>What a page shows of a bot's own steps.</summary>
internal static class StepWords
{
    /// <summary>A passing line that tells nothing of what the bot is made of.</summary>
    public static string Passing(ToolKind kind) => kind switch
    {
        ToolKind.Dataset => "Looking it up",
        ToolKind.WebSearch => "Searching the web",
        ToolKind.WebPage => "Reading a page",
        ToolKind.Member => "Asking a colleague",
        _ => "Working on it",
    };

    public static IconName Icon(ToolKind kind) => IconName.FromString(kind switch
    {
        ToolKind.Dataset => "book-open",
        ToolKind.WebSearch => "search",
        ToolKind.WebPage => "globe",
        ToolKind.Member => "agent",
        _ => "bolt",
    });

    /// <summary>One task of a workflow, under the tool's own name.</summary>
    public static ChatTask Task(ToolKind kind, string tool, StatusIndicator status, bool isFailure) => new CustomTask
    {
        Title = $"{Passing(kind)} ({tool})",
        Icon = Icon(kind),
        StatusIndicator = status,
        Content = isFailure ? "This did not work." : null,
    };
}
