using System.Text.Json;

namespace Gateway.Bots;

/// <summary>What a bot's own tool does.</summary>
internal enum ToolKind
{
    /// <summary>Searches a dataset.</summary>
    Dataset,

    /// <summary>Does something outside: HTTP or MCP.</summary>
    Ability,

    WebSearch,
    WebPage,

    /// <summary>Asks another bot.</summary>
    Member,
}

/// <summary>A tool of the bot's own: the gateway runs it, and the caller never sees it.</summary>
internal abstract class BotTool
{
    /// <summary>As the model calls it: letters, digits, <c>_</c> and <c>-</c>, at most 64.</summary>
    public abstract string Name { get; }

    public abstract ToolKind Kind { get; }

    public abstract string Description { get; }

    /// <summary>A JSON Schema of the arguments, UTF-8.</summary>
    public abstract ReadOnlyMemory<byte> Parameters { get; }

    /// <summary>Longest that a call may take.</summary>
    public virtual TimeSpan Timeout => TimeSpan.FromSeconds(30);

    /// <summary>Runs one call. What goes wrong is told to the model, in the result.</summary>
    /// <param name="arguments">What the model wrote, which is JSON and an object; nothing else is known of it.</param>
    /// <exception cref="OperationCanceledException">The caller left, or the time is over.</exception>
    public abstract Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel);
}

/// <summary>What a call gave, for the model to read.</summary>
/// <param name="Text">Where it comes from outside: in <see cref="DataText"/>.</param>
/// <param name="IsFailure">Whether it says what went wrong.</param>
internal sealed record ToolResult(string Text, bool IsFailure = false)
{
    public static ToolResult Failed(string why) => new(why, IsFailure: true);
}

/// <summary>Gives a bot some of its tools. All sources that have some for it are asked at the begin of each turn.</summary>
internal interface IToolSource
{
    /// <summary>Whether it may have anything for the bot of this turn. Those that have not are not asked for it.</summary>
    bool IsFor(TurnContext turn);

    /// <summary>
    /// Adds what the bot of this turn has of this kind. Trouble with something outside is no reason to fail: what cannot be
    /// had is left out.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller left, or the time is over.</exception>
    ValueTask AddAsync(TurnContext turn, Toolset tools, CancellationToken cancel);
}

/// <summary>What the sources give to one turn.</summary>
internal sealed class Toolset
{
    private static readonly Dictionary<string, BotTool> None = [];

    private Dictionary<string, BotTool>? _tools;
    private List<string>? _guidance;
    private List<string>? _data;

    public int Count => _tools?.Count ?? 0;

    public IReadOnlyCollection<BotTool> Tools => (_tools ?? None).Values;

    /// <summary>For the system prompt, behind the backstory: the owner's and the gateway's own words.</summary>
    public IReadOnlyList<string> Guidance => _guidance ?? (IReadOnlyList<string>)[];

    /// <summary>Found before the first step, in <see cref="DataText"/>.</summary>
    public IReadOnlyList<string> Data => _data ?? (IReadOnlyList<string>)[];

    /// <summary>Adds a tool; one whose name is taken gets a number behind it, so that none is lost.</summary>
    /// <returns>The name that the model knows it by.</returns>
    public string Add(BotTool tool)
    {
        _tools ??= new Dictionary<string, BotTool>(StringComparer.Ordinal);
        var name = tool.Name;
        for (var again = 2; !_tools.TryAdd(name, tool); again++)
        {
            var behind = $"_{again}";
            name = tool.Name[..Math.Min(tool.Name.Length, 64 - behind.Length)] + behind;
        }

        return name;
    }

    public BotTool? Find(string name) => _tools?.GetValueOrDefault(name);

    /// <summary>The tools by the names that the model knows them by.</summary>
    public IEnumerable<KeyValuePair<string, BotTool>> Named => _tools ?? None;

    public void AddGuidance(string text) => (_guidance ??= []).Add(text);

    public void AddData(string text) => (_data ??= []).Add(text);
}
