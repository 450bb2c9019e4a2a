namespace Gateway.Data;

/// <summary>Whose limit it is.</summary>
internal enum LimitScope
{
    Key = 0,
    Bot = 1,
    Workspace = 2,
}

/// <summary>What is counted, and over which UTC time. Money is counted in billionths of a USD.</summary>
internal enum LimitMeter
{
    /// <summary>Requests in a minute.</summary>
    Requests = 0,

    /// <summary>Tokens in a minute.</summary>
    Tokens = 1,

    UsdPerDay = 2,
    UsdPerMonth = 3,
    TokensPerDay = 4,
    TokensPerMonth = 5,
}

/// <summary>
/// One limit in one minute, day or month. Its lock puts the gateways that lease from it in order, so that together they
/// never lease more than there is.
/// </summary>
internal sealed class LimitWindowRow
{
    public Guid WorkspaceId { get; set; }
    public LimitScope Scope { get; set; }

    /// <summary>The key's or bot's id; empty for the workspace itself.</summary>
    public required string Subject { get; set; }

    public LimitMeter Meter { get; set; }
    public DateTime StartsAt { get; set; }
    public DateTime EndsAt { get; set; }

    /// <summary>Round trips that took this lock.</summary>
    public long Trips { get; set; }
}

/// <summary>What one gateway has of a limit. Absolute numbers, written by that gateway alone.</summary>
internal sealed class LimitLeaseRow
{
    public Guid WorkspaceId { get; set; }
    public LimitScope Scope { get; set; }
    public required string Subject { get; set; }
    public LimitMeter Meter { get; set; }
    public DateTime StartsAt { get; set; }

    /// <summary>The gateway's <see cref="InstanceRow.Id"/>.</summary>
    public Guid Instance { get; set; }

    public DateTime EndsAt { get; set; }

    /// <summary>Grows with each report, so that one which comes late overwrites nothing newer.</summary>
    public long Report { get; set; }

    /// <summary>Used for good.</summary>
    public long Spent { get; set; }

    /// <summary>Reserved by requests in flight, or leased and not yet used. Counts while the gateway is alive.</summary>
    public long Held { get; set; }
}

/// <summary>A gateway process that leases, for as long as it shows that it is alive.</summary>
internal sealed class InstanceRow
{
    /// <summary>Random, for each process.</summary>
    public Guid Id { get; set; }

    public DateTime SeenAt { get; set; }
}
