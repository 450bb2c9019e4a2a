using Gateway.Data;

namespace Gateway.Bots;

/// <summary>A bot as requests use it. Immutable; a turn keeps the one it began with.</summary>
/// <param name="Model">Name of the model that answers.</param>
/// <param name="Parameters">A JSON object, UTF-8: request parameters that hold unless the caller says otherwise.</param>
/// <param name="LockedParameters">Parameters in which the caller has no say.</param>
/// <param name="Version">The configuration version that it, and all it is made of, was read at.</param>
internal sealed record Bot(
    string Id, string Name, string Description, string Model, string Backstory, byte[] Parameters,
    IReadOnlyList<string> LockedParameters, long Version)
{
    private BotBasis? _basis;

    /// <summary>What its turns begin with.</summary>
    // One that was made from another begins as its copy, basis and all.
    public BotBasis Basis => _basis is { } made && ReferenceEquals(made.Bot, this) ? made : _basis = new BotBasis(this);

    /// <summary>Null: none.</summary>
    public LimitValues? Limits { get; init; }

    public TurnLimits Turn { get; init; } = TurnLimits.Default;

    /// <summary>Those that are there and enabled, as are the skillsets.</summary>
    public IReadOnlyList<BotDataset> Datasets { get; init; } = [];

    public IReadOnlyList<Skillset> Skillsets { get; init; } = [];

    /// <summary>The workspace's, by name, for bots with skillsets.</summary>
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    public bool WebSearch { get; init; }

    public IReadOnlyList<TeamMember> Team { get; init; } = [];

    /// <summary>A JSON array of OpenAI's function definitions, UTF-8.</summary>
    public byte[] ClientTools { get; init; } = [.. "[]"u8];

    /// <summary>Whether callers who ask for it see the steps.</summary>
    public bool ExposeSteps { get; init; }
}

/// <summary>What is in memory of every bot.</summary>
internal sealed record BotEntry(string Id, string Name, string Description, DateTime CreatedAt, long Version);

/// <summary>The bot that is there without any configuration, so that a first request shows what bots are.</summary>
internal static class DemoBot
{
    public const string Id = "demo";

    public static BotEntry Entry { get; } = new(Id, "Demo", "Answers questions about the gateway.", DateTime.UnixEpoch, 0);

    public static Bot Bot { get; } = new(
        Id, Entry.Name, Entry.Description, Upstream.Catalog.DemoModel,
        """
        You are {bot.name}, the demonstration of this gateway, in the workspace {workspace}. Today is {date}.
        A bot is a whole system behind one model name: a backstory, parameters and a model that answers.
        The gateway serves models and bots through one OpenAI-compatible API.
        To make a bot of your own, write it into a YAML file and run: gateway apply -f gateway.yaml.
        To reach a real model, set OPENAI_API_KEY or configure a provider in the YAML file.
        Keys are made with the command gateway keys create, and shown only once.
        """,
        [.. "{}"u8], [], 0);
}
