namespace Gateway.Data;

/// <summary>
/// A row of configuration. <see cref="Version"/> is set by <see cref="GatewayDb"/> on every save and grows in commit
/// order over all such rows, so that a gateway reads what changed with <c>version &gt; last seen</c>.
/// </summary>
internal interface IConfigRow
{
    long Version { get; set; }

    /// <summary>Names the row in <see cref="DeletionRow"/>, within its kind and workspace.</summary>
    (Guid? WorkspaceId, string Id) Identity { get; }
}

/// <summary>Who manages a row: the operator's YAML file or the management API.</summary>
internal enum ManagedBy
{
    Api = 0,
    File = 1,
}

/// <summary>A tenant. Owns keys, bots and secrets.</summary>
internal sealed class WorkspaceRow : IConfigRow
{
    public Guid Id { get; set; }
    public required string Name { get; set; }
    public LimitColumns Limits { get; set; } = new();
    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (Id, Id.ToString());
}

/// <summary>A caller's key. The key itself is shown once and never stored.</summary>
internal sealed class KeyRow : IConfigRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public required string Name { get; set; }

    /// <summary>SHA-256 of the whole key, 32 bytes.</summary>
    public required byte[] Hash { get; set; }

    /// <summary>The key's last four characters, for people who look for one in a list.</summary>
    public required string Ending { get; set; }

    /// <summary><c>chat</c>, <c>admin</c>.</summary>
    public required string[] Scopes { get; set; }

    /// <summary>Selectors that the key may use, exact or ending in <c>*</c>. Empty: all of its workspace.</summary>
    public required string[] Selectors { get; set; }

    public LimitColumns Limits { get; set; } = new();
    public DateTime CreatedAt { get; set; }
    public DateTime? ExpiresAt { get; set; }
    public DateTime? RevokedAt { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (WorkspaceId, Id.ToString());
}

/// <summary>An upstream base URL and its credential.</summary>
internal sealed class ProviderRow : IConfigRow
{
    public Guid Id { get; set; }
    public required string Name { get; set; }
    public required string BaseUrl { get; set; }

    /// <summary>Sealed by <see cref="SecretBox"/>; null when the provider wants none.</summary>
    public byte[]? ApiKey { get; set; }

    /// <summary>A JSON object of header names and values, sealed: values are often credentials.</summary>
    public byte[]? Headers { get; set; }

    /// <summary>Most requests at a time from one gateway; null: any number.</summary>
    public int? MaxConcurrency { get; set; }

    public ManagedBy Managed { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (null, Name);
}

/// <summary>A name that callers use. <c>*</c> stands for every other name.</summary>
internal sealed class ModelRow : IConfigRow
{
    public Guid Id { get; set; }
    public required string Name { get; set; }

    /// <summary>Names of the workspaces that see the model. Empty: all.</summary>
    public required string[] Workspaces { get; set; }

    public required string[] DropParams { get; set; }
    public int ConnectMs { get; set; }
    public int HeadersMs { get; set; }
    public int FirstContentMs { get; set; }
    public int IdleMs { get; set; }
    public int TotalMs { get; set; }

    /// <summary>Names of models to ask when every deployment has failed, in order.</summary>
    public string[] Fallbacks { get; set; } = [];

    /// <summary>Further attempts on the same deployment.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>Share of failed attempts, 0 to 1, that opens a deployment's circuit.</summary>
    public double BreakerFailureRate { get; set; } = 0.5;

    /// <summary>Attempts in the window below which the circuit stays closed.</summary>
    public int BreakerMinimum { get; set; } = 4;

    public int BreakerWindowMs { get; set; } = 30_000;
    public int BreakerOpenMs { get; set; } = 10_000;
    public RescueMode Rescue { get; set; } = RescueMode.Prefill;
    public int? ContextTokens { get; set; }

    /// <summary>What is reserved for a reply when the caller gives no limit.</summary>
    public int? DefaultOutputTokens { get; set; }

    /// <summary>USD per million tokens; null: the price is unknown. The other two are then null too.</summary>
    public decimal? PriceInput { get; set; }

    public decimal? PriceCachedInput { get; set; }
    public decimal? PriceOutput { get; set; }
    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
    public long Version { get; set; }
    public List<DeploymentRow> Deployments { get; set; } = [];

    public (Guid? WorkspaceId, string Id) Identity => (null, Name);
}

/// <summary>A model at a provider.</summary>
internal sealed class DeploymentRow
{
    public Guid ModelId { get; set; }

    /// <summary>0, 1, 2… in configured order.</summary>
    public int Position { get; set; }

    public Guid ProviderId { get; set; }

    /// <summary>The name at the provider. Null: the name that the caller used.</summary>
    public string? UpstreamModel { get; set; }

    /// <summary>Share of the model's traffic, relative to its other deployments'.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>Whether it continues an assistant's unfinished message.</summary>
    public bool SupportsPrefill { get; set; }
}

/// <summary>What is done when a stream breaks after content was sent.</summary>
internal enum RescueMode
{
    Off = 0,

    /// <summary>Continued by a deployment that takes an assistant's unfinished message.</summary>
    Prefill = 1,

    /// <summary>Also started over, as far as the answer is the same.</summary>
    Replay = 2,
}

internal sealed class BotRow : IConfigRow
{
    public Guid WorkspaceId { get; set; }

    /// <summary>Chosen by the owner, unique in the workspace.</summary>
    public required string Id { get; set; }

    public required string Name { get; set; }
    public required string Description { get; set; }

    /// <summary>Name of the model that answers.</summary>
    public required string Model { get; set; }

    public required string Backstory { get; set; }

    /// <summary>A JSON object of request parameters that the bot sends unless the caller says otherwise.</summary>
    public required string Parameters { get; set; }

    /// <summary>Parameters in which a caller's own value is dropped.</summary>
    public required string[] LockedParameters { get; set; }

    /// <summary>A JSON array of <c>{"name", "mode"}</c>, the mode being <c>tool</c> or <c>always</c>.</summary>
    public string Datasets { get; set; } = "[]";

    /// <summary>Names of skillsets.</summary>
    public string[] Skillsets { get; set; } = [];

    public bool WebSearch { get; set; }

    /// <summary>A JSON array of OpenAI's function definitions: tools of the chat page.</summary>
    public string ClientTools { get; set; } = "[]";

    /// <summary>A JSON array of <c>{"bot", "description", "handoff"}</c>.</summary>
    public string Team { get; set; } = "[]";

    public bool ExposeSteps { get; set; }
    public LimitColumns Limits { get; set; } = new();
    public TurnLimitColumns Turn { get; set; } = new();
    public ManagedBy Managed { get; set; }
    public DateTime CreatedAt { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (WorkspaceId, Id);
}

/// <summary>A workspace's credential for its abilities, sealed by <see cref="SecretBox"/>.</summary>
internal sealed class SecretRow : IConfigRow
{
    public Guid WorkspaceId { get; set; }
    public required string Name { get; set; }
    public required byte[] Value { get; set; }
    public ManagedBy Managed { get; set; }
    public long Version { get; set; }

    public (Guid? WorkspaceId, string Id) Identity => (WorkspaceId, Name);
}

/// <summary>Says that a configuration row is gone, since a deleted row cannot say so itself.</summary>
internal sealed class DeletionRow
{
    public long Version { get; set; }

    /// <summary>The table, such as <c>keys</c>.</summary>
    public required string Kind { get; set; }

    /// <summary>All zeros for what belongs to no workspace.</summary>
    public Guid WorkspaceId { get; set; }

    public required string ObjectId { get; set; }
    public DateTime At { get; set; }
}

/// <summary>The one row whose lock puts configuration changes in order; see <see cref="GatewayDb"/>.</summary>
internal sealed class ConfigVersionRow
{
    public const int OnlyId = 1;

    public int Id { get; set; }
    public long Version { get; set; }
}

/// <summary>A fact about the installation, such as the fingerprint of its encryption key.</summary>
internal sealed class SettingRow
{
    public required string Name { get; set; }
    public required string Value { get; set; }
}
