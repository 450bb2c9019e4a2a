namespace Gateway.Tests.Support;

/// <summary>How a <see cref="GatewayProcess"/> is started.</summary>
public sealed record GatewayLaunch
{
    /// <summary>An external database; null starts the gateway with its embedded one.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>The text of a <c>gateway.yaml</c>, given as <c>Gateway__Apply</c>. Null gives none.</summary>
    public string? Yaml { get; init; }

    /// <summary>Further settings in environment form; they win over what the harness sets.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>An existing data directory, which then outlives the process. Null makes one and deletes it at the end.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Called with each line of stdout, from a pool thread: for long runs, whose output is not kept to its begin.</summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>What a shell does before it becomes the gateway, such as <c>trap '' XFSZ</c>. Null: no shell.</summary>
    public string? Prelude { get; init; }

    /// <summary>How long the first "ready" may take. Long: no test is about it, and a busy machine takes its time.</summary>
    public TimeSpan ReadyLimit { get; init; } = TimeSpan.FromMinutes(3);
}

/// <summary>A caller's key, as the admin API made it.</summary>
public sealed record GatewayKey(string Id, string Text);
