using System.Text.Json.Serialization;

namespace Gateway.Benchmarks.Load;

/// <summary>What a run measured. Printed as one line of JSON, names in camelCase; what a kind does not measure is absent.</summary>
internal sealed record LoadFigures
{
    public required string Kind { get; init; }

    /// <summary>How long was measured, warm-up apart.</summary>
    public required double Seconds { get; init; }

    /// <summary>
    /// Wrong replies, refused and broken connections, in the measured time and the warm-up. More than 100 end the run. With any, the
    /// exit code is 1 unless they are allowed.
    /// </summary>
    public required long Errors { get; init; }

    /// <summary>The first of them, in words.</summary>
    public string? FirstError { get; init; }

    /// <summary>requests, rate: replies got in full. hold: answers got in the end. disconnect: streams left.</summary>
    public long? Requests { get; init; }

    /// <summary>requests, rate, disconnect: <see cref="Requests"/> a second.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>Bytes received, heads and framing included.</summary>
    public long? BytesReceived { get; init; }

    /// <summary>
    /// requests: from the first byte written to the last one read. rate: from when the request was due, so that a stall counts
    /// for every request that it kept waiting. Those without an answer at the end count with the time they have waited.
    /// </summary>
    public LatencyFigures? Latency { get; init; }

    /// <summary>rate: requests that were sent over 1 ms after they were due, as no connection was free.</summary>
    public long? Late { get; init; }

    /// <summary>rate: requests that were due and had no answer when the time was over.</summary>
    public long? Unanswered { get; init; }

    /// <summary>streams, chunks: those read to their end.</summary>
    public long? Streams { get; init; }

    /// <summary>streams, chunks: chunks with text that came, each counted once it was read.</summary>
    public long? Chunks { get; init; }

    /// <summary>streams, chunks: <see cref="Chunks"/> a second.</summary>
    public double? ChunksPerSecond { get; init; }

    /// <summary>streams, chunks: numbers that were passed over, within a stream or at its end.</summary>
    public long? Lost { get; init; }

    /// <summary>streams, chunks: chunks with a number that had come before.</summary>
    public long? Doubled { get; init; }

    /// <summary>streams, chunks: chunks that came after one with a higher number. Each was counted as lost before, and is taken off that again.</summary>
    public long? Reordered { get; init; }

    /// <summary>streams, chunks: from the request's first byte written to the first chunk with text.</summary>
    public LatencyFigures? FirstChunk { get; init; }

    /// <summary>
    /// streams: between two chunks of a stream. The silence that a stream stands in when the time is over counts too, if it is
    /// over 20 ms.
    /// </summary>
    public LatencyFigures? Gap { get; init; }

    /// <summary>hold: bytes of each request's body.</summary>
    public int? BodyBytes { get; init; }

    /// <summary>hold: seconds until the upstream had every body.</summary>
    public double? SecondsUntilHeld { get; init; }
}

/// <summary>A distribution of times, each within 1 %, in milliseconds.</summary>
/// <param name="Count">How many times there are; with none, the others are 0.</param>
internal sealed record LatencyFigures(long Count, double Mean, double P50, double P90, double P99, double P999, double Max);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoadFigures))]
internal sealed partial class LoadJson : JsonSerializerContext;
