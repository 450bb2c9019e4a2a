using Gateway.Bots;
using Gateway.Data;

namespace Gateway.Admin.File;

/// <param name="Limits">Null: none.</param>
internal sealed record FileWorkspace(
    string Name, LimitValues? Limits, IReadOnlyList<FileSecret> Secrets, IReadOnlyList<FileDataset> Datasets,
    IReadOnlyList<FileSkillset> Skillsets, IReadOnlyList<FileBot> Bots, FilePlace At) : FileObject;

/// <param name="Value">Null: the value that the database holds stays.</param>
internal sealed record FileSecret(string Name, Secret? Value, FilePlace At) : FileObject;

/// <param name="Files">Null: the file does not speak of files, and those that are there stay.</param>
/// <param name="Language">A text search configuration of Postgres.</param>
/// <param name="EmbeddingModel">Null: it is searched by words alone.</param>
internal sealed record FileDataset(
    string Name,
    string Description,
    bool IsEnabled,
    IReadOnlyList<FilePattern>? Files,
    string Language,
    string? EmbeddingModel,
    int ChunkTokens,
    int OverlapTokens,
    int SearchMaxRecords,
    double SearchMinScore,
    int SearchMaxTokens,
    string MatchInstruction,
    string MismatchInstruction,
    FilePlace At) : FileObject
{
    public const string DefaultLanguage = "simple";
    public const int DefaultChunkTokens = 512;
    public const int DefaultOverlapTokens = 64;
    public const int DefaultMaxRecords = 5;
    public const int DefaultMaxTokens = 4_000;
}

/// <param name="Text">A path relative to the file, in which <c>*</c> and <c>**</c> may stand.</param>
internal sealed record FilePattern(string Text, FilePlace At);

internal sealed record FileSkillset(
    string Name, string Description, bool IsEnabled, IReadOnlyList<FileAbility> Abilities, FilePlace At) : FileObject;

/// <param name="ParametersJson">A JSON object: the schema of its arguments, <c>{}</c> when there is none.</param>
/// <param name="SettingsJson">As <see cref="AbilityRow.Settings"/> keeps it, with every default written out.</param>
internal sealed record FileAbility(
    string Name, string Description, AbilityKind Kind, string ParametersJson, string SettingsJson, FilePlace At)
{
    public const string DefaultMethod = "GET";
    public const int DefaultMaxBytes = 262_144;

    public static readonly TimeSpan DefaultHttpTimeout = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan DefaultMcpTimeout = TimeSpan.FromSeconds(30);
}

/// <param name="Name">What people read. Null: the id is shown.</param>
/// <param name="ParametersJson">A JSON object; <c>{}</c> when there are none.</param>
/// <param name="LockedParameters">Members of that object which a caller cannot change.</param>
/// <param name="Limits">Null: none.</param>
internal sealed record FileBot(
    string Id,
    string? Name,
    string? Description,
    string Model,
    string? Backstory,
    string ParametersJson,
    IReadOnlyList<string> LockedParameters,
    LimitValues? Limits,
    FilePlace At) : FileObject
{
    public static TurnLimits DefaultTurn => TurnLimits.Default;

    /// <summary>As <see cref="BotRow.Datasets"/> keeps it.</summary>
    public string DatasetsJson { get; init; } = "[]";

    public IReadOnlyList<string> Skillsets { get; init; } = [];

    public bool WebSearch { get; init; }

    /// <summary>As <see cref="BotRow.ClientTools"/> keeps it.</summary>
    public string ClientToolsJson { get; init; } = "[]";

    /// <summary>As <see cref="BotRow.Team"/> keeps it.</summary>
    public string TeamJson { get; init; } = "[]";

    public FileTurn Turn { get; init; } = new(null, null, null, null, null);

    public bool ExposeSteps { get; init; }
}

/// <summary>Limits of one turn; null: the gateway's own default, and no limit of money.</summary>
internal sealed record FileTurn(int? Steps, int? ToolCalls, int? Depth, int? Seconds, decimal? BudgetUsd);
