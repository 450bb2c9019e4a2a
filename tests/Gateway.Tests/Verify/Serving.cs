using System.Diagnostics;

namespace Gateway.Tests.Verify;

/// <summary>One attempt at a request, as the upstream saw it.</summary>
internal sealed class Serving(string id)
{
    private long _leftAt;

    public string Id { get; } = id;

    /// <summary>As it was reported; 0 before, and where nothing was.</summary>
    public long InputTokens { get; private set; }

    public long OutputTokens { get; private set; }

    /// <summary>Whether the usage was written, be it read or not.</summary>
    public bool HasReported { get; private set; }

    /// <summary>Whether the reply was written to its end.</summary>
    public bool IsWhole { get; set; }

    /// <summary>When the gateway closed the connection before the end, on <see cref="Stopwatch"/>'s clock; null when it did not.</summary>
    public long? LeftAt => Volatile.Read(ref _leftAt) is not 0 and var at ? at : null;

    public void Left() => Interlocked.CompareExchange(ref _leftAt, Stopwatch.GetTimestamp(), 0);

    public void Report(long input, long output) => (InputTokens, OutputTokens, HasReported) = (input, output, true);
}
