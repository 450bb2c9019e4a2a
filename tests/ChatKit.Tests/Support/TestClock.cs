namespace ChatKit.Tests.Support;

/// <summary>A clock that stands still, so that all times are equal and order must come from elsewhere. Timers run as usual.</summary>
public sealed class TestClock : TimeProvider
{
    public static readonly DateTimeOffset Start = new(2026, 5, 19, 10, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now { get; set; } = Start;

    public override DateTimeOffset GetUtcNow() => Now;
}
