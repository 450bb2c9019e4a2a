namespace Gateway.Data;

/// <summary>Limits of one turn, as columns of a bot's row; null: the gateway's own default.</summary>
internal sealed class TurnLimitColumns
{
    /// <summary>Most model calls of one bot in a turn.</summary>
    public int? Steps { get; set; }

    /// <summary>Most calls of the bot's own tools in a turn.</summary>
    public int? ToolCalls { get; set; }

    /// <summary>Most levels of bots that ask bots.</summary>
    public int? Depth { get; set; }

    /// <summary>Longest turn.</summary>
    public int? Seconds { get; set; }

    /// <summary>Most money of a turn, its members' included.</summary>
    public decimal? BudgetUsd { get; set; }
}

/// <summary>A collection of texts that bots look things up in.</summary>
internal sealed class DatasetRow : IConfigRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }

    /// <summary>Unique in the workspace.</summary>
    public required string Name { get; set; }

    public required string Description { get; set; }
    public bool IsEnabled { get; set; } = true;

    /// <summary>A text search configuration of Postgres, such as <c>english</c> or <c>simple</c>.</summary>
    public string Language { get; set; } = "simple";

    /// <summary>Name of the model that makes vectors of its chunks; null: it is searched by words alone.</summary>
    public string? EmbeddingModel { get; set; }

    /// <summary>Most tokens of a chunk, estimated.</summary>
    public int ChunkTokens { get; set; } = 512;

    /// <summary>What a chunk repeats of the one before it, in tokens, where a paragraph had to be cut.</summary>
    public int OverlapTokens { get; set; } = 64;

    public int SearchMaxRecords { get; set; } = 5;
    public double SearchMinScore { get; set; }

    /// <summary>Most tokens of what a search gives to the model.</summary>
    public int SearchMaxTokens { get; set; } = 4_000;

    /// <summary>Told to the model with what was found; empty: the gateway's own words.</summary>
    public string MatchInstruction { get; set; } = "";

    /// <summary>Told to the model when nothing was found; empty: the gateway's own words.</summary>
    public string MismatchInstruction { get; set; } = "";

    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (WorkspaceId, Name);
}

/// <summary>A file of a dataset, kept as it came, so that its records can be made again.</summary>
internal sealed class DatasetFileRow
{
    public Guid WorkspaceId { get; set; }
    public Guid DatasetId { get; set; }
    public Guid Id { get; set; }

    /// <summary>Unique in the dataset; the path as the YAML file names it, or the name it was uploaded with.</summary>
    public required string Name { get; set; }

    public required byte[] Content { get; set; }

    /// <summary>SHA-256 of the content.</summary>
    public required byte[] Hash { get; set; }

    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
}

/// <summary>One text of a dataset with where it comes from: made directly, or from a file.</summary>
internal sealed class RecordRow
{
    public Guid WorkspaceId { get; set; }
    public Guid DatasetId { get; set; }
    public Guid Id { get; set; }

    /// <summary>The file that it was made from; null: made directly.</summary>
    public Guid? FileId { get; set; }

    /// <summary>Its place among the records of its file.</summary>
    public int Position { get; set; }

    public required string Text { get; set; }

    /// <summary>What people call where it comes from, such as a file's name or a title; empty: unknown.</summary>
    public string Source { get; set; } = "";

    /// <summary>Where readers find it; null: nowhere.</summary>
    public string? Url { get; set; }

    /// <summary>A JSON object.</summary>
    public string Metadata { get; set; } = "{}";

    public DateTime CreatedAt { get; set; }
    public DateTime UpdatedAt { get; set; }
}

/// <summary>A piece of a record, as it is found and shown to a model.</summary>
internal sealed class ChunkRow
{
    public Guid WorkspaceId { get; set; }
    public Guid DatasetId { get; set; }

    /// <summary>
    /// Made from the record's id, the text and how many equal pieces stand before it in the record, so that a piece that
    /// did not change keeps it, and its vector.
    /// </summary>
    public Guid Id { get; set; }

    public Guid RecordId { get; set; }

    /// <summary>Its place in the record.</summary>
    public int Position { get; set; }

    public required string Text { get; set; }

    /// <summary>Estimated.</summary>
    public int Tokens { get; set; }

    /// <summary>The lexemes of the text, in the dataset's language.</summary>
    public NpgsqlTypes.NpgsqlTsVector Lexemes { get; set; } = NpgsqlTypes.NpgsqlTsVector.Empty;

    /// <summary>Half-precision numbers, little-endian, of unit length; null: not made, or kept by the pgvector extension.</summary>
    public byte[]? Vector { get; set; }

    /// <summary>The model that made the vector, which others' cannot be compared with; null: there is no vector.</summary>
    public string? VectorModel { get; set; }
}

/// <summary>In how many chunks of a dataset a lexeme stands.</summary>
internal sealed class LexemeRow
{
    public Guid WorkspaceId { get; set; }
    public Guid DatasetId { get; set; }
    public required string Lexeme { get; set; }
    public long Chunks { get; set; }
}

internal enum JobState
{
    Queued = 0,
    Running = 1,
    Done = 2,
    Failed = 3,
}

/// <summary>Something that a gateway does in the background and that outlives it: making records, chunks and vectors.</summary>
internal sealed class JobRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public Guid DatasetId { get; set; }

    /// <summary>The file to read; null: the whole dataset is to be chunked and embedded again.</summary>
    public Guid? FileId { get; set; }

    public JobState State { get; set; }

    /// <summary>Why it failed, or what last kept it from going on; never a credential.</summary>
    public string? Reason { get; set; }

    /// <summary>Chunks to embed, as far as is known.</summary>
    public int Total { get; set; }

    public int Done { get; set; }

    /// <summary>How often it was begun since it last got further.</summary>
    public int Tries { get; set; }

    /// <summary>The gateway that works on it; null: none.</summary>
    public Guid? Instance { get; set; }

    /// <summary>When another gateway may take it over, or when it is to be tried again.</summary>
    public DateTime DueAt { get; set; }

    public DateTime CreatedAt { get; set; }
    public DateTime? StartedAt { get; set; }
    public DateTime? EndedAt { get; set; }
}

/// <summary>What bots of a workspace can do.</summary>
internal sealed class SkillsetRow : IConfigRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }

    /// <summary>Unique in the workspace.</summary>
    public required string Name { get; set; }

    public required string Description { get; set; }
    public bool IsEnabled { get; set; } = true;
    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
    public long Version { get; set; }
    public List<AbilityRow> Abilities { get; set; } = [];

    public (Guid? WorkspaceId, string Id) Identity => (WorkspaceId, Name);
}

internal enum AbilityKind
{
    Http = 0,
    Mcp = 1,
}

/// <summary>A tool of a skillset: a request to an HTTP API, or the tools of an MCP server.</summary>
internal sealed class AbilityRow
{
    public Guid WorkspaceId { get; set; }
    public Guid SkillsetId { get; set; }
    public Guid Id { get; set; }

    /// <summary>0, 1, 2… in configured order.</summary>
    public int Position { get; set; }

    /// <summary>Unique in the skillset; an HTTP ability's is the name of the tool.</summary>
    public required string Name { get; set; }

    public required string Description { get; set; }
    public AbilityKind Kind { get; set; }

    /// <summary>A JSON Schema of the arguments; <c>{}</c> for an MCP server, which has its own.</summary>
    public string Parameters { get; set; } = "{}";

    /// <summary>A JSON object: the members of <c>http</c> or <c>mcp</c> as the YAML file has them, durations in milliseconds.</summary>
    public required string Settings { get; set; }
}

/// <summary>
/// Messages of a turn that its caller never saw: what a bot's own tools were asked and said before the turn ended in calls
/// of the caller's tools. Put back when the caller comes with the results.
/// </summary>
internal sealed class HiddenStepRow
{
    public Guid WorkspaceId { get; set; }
    public required string BotId { get; set; }

    /// <summary>One of the calls that the caller saw, by the id that it saw.</summary>
    public required string CallId { get; set; }

    /// <summary>The same for all calls of a turn.</summary>
    public Guid TurnId { get; set; }

    /// <summary>The id by which the upstream knows the call.</summary>
    public required string UpstreamId { get; set; }

    /// <summary>A JSON object of messages and the sources they name, with the turn's first call alone; null with the others.</summary>
    public string? Messages { get; set; }

    public DateTime ExpiresAt { get; set; }
}

/// <summary>A model that makes vectors of texts.</summary>
internal sealed class EmbeddingModelRow : IConfigRow
{
    public Guid Id { get; set; }
    public required string Name { get; set; }
    public Guid ProviderId { get; set; }

    /// <summary>The name at the provider. Null: the same.</summary>
    public string? UpstreamModel { get; set; }

    public int Dimensions { get; set; }

    /// <summary>USD per million tokens; null: unknown.</summary>
    public decimal? PriceInput { get; set; }

    public ManagedBy Managed { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (null, Name);
}

/// <summary>How bots search the web and read pages, and which private places they may reach. At most one row.</summary>
internal sealed class OutsideRow : IConfigRow
{
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    /// <summary><c>searxng</c>, <c>brave</c> or <c>tavily</c>; null: there is no search.</summary>
    public string? SearchKind { get; set; }

    /// <summary>Where the engine is; null: its usual address.</summary>
    public string? SearchUrl { get; set; }

    /// <summary>Sealed by <see cref="SecretBox"/>.</summary>
    public byte[]? SearchApiKey { get; set; }

    /// <summary>Whether bots with web search may read pages.</summary>
    public bool CanFetch { get; set; }

    /// <summary>Names, addresses and networks that bots may reach although they are private.</summary>
    public string[] EgressAllow { get; set; } = [];

    public ManagedBy Managed { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (null, "outside");
}

/// <summary>Who changed what of the configuration, and when. Never a value.</summary>
internal sealed class AuditRow
{
    /// <summary>All zeros for what belongs to no workspace.</summary>
    public Guid WorkspaceId { get; set; }

    public Guid Id { get; set; }
    public DateTime At { get; set; }

    /// <summary>The key's name, or <c>file</c>, <c>command line</c>.</summary>
    public required string Actor { get; set; }

    /// <summary>All zeros where it was no key of a workspace.</summary>
    public Guid KeyId { get; set; }

    /// <summary><c>created</c>, <c>updated</c>, <c>deleted</c>, <c>revoked</c>.</summary>
    public required string Action { get; set; }

    /// <summary>Such as <c>bot</c>.</summary>
    public required string Kind { get; set; }

    /// <summary>Its name or id.</summary>
    public required string Subject { get; set; }

    /// <summary>The fields that changed, as the YAML file calls them.</summary>
    public string[] Fields { get; set; } = [];
}
