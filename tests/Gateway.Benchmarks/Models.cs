namespace Gateway.Benchmarks;

/// <summary>Names of the upstream's models that the lines use; what each does, <see cref="Load.BenchModel"/> says.</summary>
internal static class Models
{
    public const string Plain = "bench";
    public const string LongReply = "bench-reply-100000";

    /// <summary>Five seconds of tokens, one every 20 ms.</summary>
    public const string Paced = "bench-paced-250";

    /// <summary>One second of them, for a short run.</summary>
    public const string PacedBriefly = "bench-paced-50";

    public const string Held = "bench-held";

    public static IReadOnlyList<string> All { get; } = [Plain, LongReply, Paced, PacedBriefly, Held];

    public static string Selector(string model) => $"model/name={model}";
}
