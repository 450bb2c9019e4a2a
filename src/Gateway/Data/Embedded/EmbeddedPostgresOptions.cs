namespace Gateway.Data.Embedded;

internal sealed record EmbeddedPostgresOptions
{
    /// <summary>Absolute path. The cluster is its subdirectory <c>postgres</c>.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Makes the directory and the cluster when there is none. Only <c>serve</c> does; off by default.</summary>
    public bool MayCreate { get; init; }

    /// <summary>
    /// Holds the data directory for as long as this instance lives, so that a second owner is refused, and restarts a
    /// server that dies. Only <c>serve</c> does; off by default.
    /// </summary>
    public bool OwnsLock { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Gets one line for each thing that takes long or went wrong. May be called from any thread.</summary>
    public Action<string>? Progress { get; init; }
}
