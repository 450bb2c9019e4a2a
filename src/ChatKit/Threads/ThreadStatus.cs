using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>Whether the user may write in a thread.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ActiveStatus), "active")]
[JsonDerivedType(typeof(LockedStatus), "locked")]
[JsonDerivedType(typeof(ClosedStatus), "closed")]
public abstract record ThreadStatus
{
    private protected ThreadStatus()
    {
    }
}

/// <summary>The user may write.</summary>
public sealed record ActiveStatus : ThreadStatus;

/// <summary>Not for now: the composer is there but disabled.</summary>
public sealed record LockedStatus : ThreadStatus
{
    /// <summary>Shown in the composer. Null: the client's own text.</summary>
    public string? Reason { get; init; }
}

/// <summary>For good: a banner stands where the composer was.</summary>
public sealed record ClosedStatus : ThreadStatus
{
    /// <summary>Shown in the banner. Null: the client's own text.</summary>
    public string? Reason { get; init; }
}
