using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>What <see cref="BenchUpstream"/> does with a request, which the name of the model says: it passes every system unchanged.</summary>
internal enum BenchBehaviour
{
    /// <summary>Plain: a reply of a given length. Streamed: chunks as fast as they are taken.</summary>
    AtOnce,

    /// <summary>A stream of one numbered chunk every 20 ms, whether it was asked for a stream or not.</summary>
    Paced,

    /// <summary>A plain reply that waits until <c>POST /release</c>.</summary>
    Held,
}

/// <summary>
/// A model of the benchmark's upstream, read from its name with or without <c>model/name=</c> in front:
/// <list type="bullet">
/// <item><c>bench</c>: a plain reply of about 600 bytes; a stream of 500 chunks, unpaced.</item>
/// <item><c>bench-brief</c>: the same plain reply; a stream that says it in 10 chunks, for bots, whose steps are streams.</item>
/// <item><c>bench-reply-N</c>: a plain reply with N characters of content, such as <c>bench-reply-100000</c>.</item>
/// <item><c>bench-paced-N</c>: a stream of N chunks, one every 20 ms, such as <c>bench-paced-250</c>.</item>
/// <item><c>bench-held</c>: a plain reply of about 600 bytes, kept back until <c>POST /release</c> on the upstream.</item>
/// </list>
/// A system in between must be configured to know the names that are used.
/// </summary>
/// <param name="ContentLength">Characters of content in a plain reply.</param>
/// <param name="Chunks">Chunks with text in a stream.</param>
internal sealed record BenchModel(BenchBehaviour Behaviour, int ContentLength, int Chunks)
{
    /// <summary>Chunks in one stream of <c>bench</c>.</summary>
    public const int DefaultChunks = 500;

    /// <summary>Most chunks in one stream.</summary>
    public const int MostChunks = 10_000;

    /// <summary>The time between two chunks of a paced stream.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    private const int DefaultContentLength = 300;

    private static readonly BenchModel Default = new(BenchBehaviour.AtOnce, DefaultContentLength, DefaultChunks);

    /// <summary>Any other name is <c>bench</c>.</summary>
    public static BenchModel Parse(string name)
    {
        var words = name[(name.IndexOf('=', StringComparison.Ordinal) + 1)..].Split('-');
        return words switch
        {
            ["bench", "brief"] => Default with { Chunks = 10 },
            ["bench", "held"] => Default with { Behaviour = BenchBehaviour.Held },
            ["bench", "reply", var length] => Default with { ContentLength = Number(length) },
            ["bench", "paced", var chunks] =>
                Default with { Behaviour = BenchBehaviour.Paced, Chunks = Math.Min(Number(chunks), MostChunks) },
            _ => Default,
        };
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
