using Gateway.Usage;

namespace Gateway.Upstream;

/// <summary>
/// The attempts of one call, so far: how many, where, and how much of the total time is left. A rescue goes on with the same
/// trail. Not for concurrent use.
/// </summary>
/// <param name="promptTokens">An estimate, for the usage of attempts that report none.</param>
internal sealed class AttemptTrail(ModelRoute route, RequestUsage usage, long promptTokens, TimeProvider clock, CancellationToken cancel)
{
    /// <summary>Most upstream calls for one of ours; sending again without a parameter is not another one.</summary>
    public const int MostAttempts = 6;

    /// <summary>Timers fire a little early; what is then left of the total is no time to ask anybody.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(20);

    /// <summary>In characters: proxies refuse headers beyond some kilobytes.</summary>
    private const int LongestHeader = 1_000;

    private readonly long _began = clock.GetTimestamp();
    private string? _text;
    private string? _header;

    public ModelRoute Route { get; } = route;

    public RequestUsage Usage { get; } = usage;

    public long PromptTokens { get; } = promptTokens;

    /// <summary>The step of a bot that asks; null: no bot does.</summary>
    public StepUsage? Step { get; init; }

    /// <summary>The caller's.</summary>
    public CancellationToken Cancel { get; } = cancel;

    public int Count { get; private set; }

    /// <summary>Provider and model of the last one; null before the first.</summary>
    public string? LastDeployment { get; private set; }

    public TimeSpan TimeLeft => Route.Model.Timeouts.Total - clock.GetElapsedTime(_began);

    public bool IsSpent => Count >= MostAttempts || TimeLeft <= LeastTime;

    /// <summary>Another attempt is about to be made.</summary>
    public void Begin(string deployment)
    {
        _header = null;
        if (Count++ == 0)
        {
            Usage.Dispatch(Route.Model.Name, PromptTokens);
        }

        LastDeployment = deployment;
    }

    /// <summary>How the last one ended, as far as the header tells it.</summary>
    public void Note(string deployment, string outcome)
    {
        _text = _text is null ? string.Concat(deployment, "=", outcome) : $"{_text}, {deployment}={outcome}";
        _header = null;
    }

    /// <summary>The last one, noted as good, broke after all. Known in time for the header where nothing was sent yet.</summary>
    public void Correct(string deployment, string outcome)
    {
        if (_text is { } text && text.EndsWith($"{deployment}=ok", StringComparison.Ordinal))
        {
            _text = $"{text.AsSpan(0, text.Length - "ok".Length)}{outcome}";
            _header = null;
        }
    }

    /// <summary>
    /// The value of <c>x-gateway-attempts</c>: the number, and where each went and what came of it, such as
    /// <c>2; openai/gpt-4o=503, azure/gpt4o-eu=ok</c>.
    /// </summary>
    public string ToHeader() => _header ??= Count == 1 && _text is { Length: <= LongestHeader } only
        ? Printable(string.Concat("1; ", only))
        : ToHeader([this]);

    /// <summary>The same of several calls, as a bot's steps make them; of very many only the first outcomes.</summary>
    public static string ToHeader(IReadOnlyList<AttemptTrail> trails)
    {
        var all = string.Join(", ", trails.Select(t => t._text).OfType<string>());
        all = all.Length > LongestHeader ? $"{all.AsSpan(0, Math.Max(0, all.LastIndexOf(", ", LongestHeader, StringComparison.Ordinal)))}, ..." : all;
        var count = trails.Sum(t => t.Count);
        return Printable(all.Length > 0 ? $"{count}; {all}" : $"{count}");
    }

    private static string Printable(string text) => text.AsSpan().ContainsAnyExceptInRange(' ', '~')
        ? string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c : '?'))
        : text;
}
