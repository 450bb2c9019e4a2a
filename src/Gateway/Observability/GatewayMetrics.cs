using System.Diagnostics.Metrics;
using System.Globalization;

namespace Gateway.Observability;

/// <summary>
/// Everything the gateway counts. A label's values are few and the operator's own: providers and models as configured
/// (the wildcard's are <c>*</c>), words of ours; never a caller's text, an id or a key. Nothing here allocates or waits.
/// </summary>
internal static class GatewayMetrics
{
    public const string MeterName = "Gateway";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>From a refusal in a millisecond to a reply at its total limit of ten minutes.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    };

    private static readonly Counter<long> RequestCount = Meter.CreateCounter<long>(
        "gateway.requests", "{request}", "Requests that have ended, by route, status and how they ended.");

    private static readonly Histogram<double> RequestDuration = Meter.CreateHistogram(
        "gateway.request.duration", "s", "Time from a request's headers to the end of its reply.", tags: null, Durations);

    private static readonly Histogram<double> FirstContentDuration = Meter.CreateHistogram(
        "gateway.first_content", "s", "Time from a request's headers to the first content sent to its caller.", tags: null, Durations);

    private static readonly UpDownCounter<long> InFlight = Meter.CreateUpDownCounter<long>(
        "gateway.requests.in_flight", "{request}", "Requests being answered now.");

    private static readonly Counter<long> AttemptCount = Meter.CreateCounter<long>(
        "gateway.attempts", "{attempt}", "Upstream calls that have ended, by how they ended.");

    private static readonly Histogram<double> AttemptDuration = Meter.CreateHistogram(
        "gateway.attempt.duration", "s", "Time from sending an upstream call to the end of its reply.", tags: null, Durations);

    private static readonly Counter<long> BreakerTrialCount = Meter.CreateCounter<long>(
        "gateway.breaker.trials", "{attempt}", "Attempts let through a half-open circuit breaker.");

    private static readonly Counter<long> RescueCount = Meter.CreateCounter<long>(
        "gateway.rescues", "{rescue}", "Streams that an upstream cut and another was asked to finish.");

    private static readonly Counter<long> TokenCount = Meter.CreateCounter<long>(
        "gateway.tokens", "{token}", "Tokens used, by kind.");

    private static readonly Counter<double> Cost = Meter.CreateCounter<double>(
        "gateway.cost.usd", "{usd}", "What the used tokens cost, where the model has a price.");

    private static readonly Counter<long> LimitRefusalCount = Meter.CreateCounter<long>(
        "gateway.limit.refusals", "{request}", "Requests refused by a limit or a budget.");

    private static readonly Counter<long> LeaseRequestCount = Meter.CreateCounter<long>(
        "gateway.lease.requests", "{request}", "Round trips to the database for leases of limits.");

    private static readonly Counter<long> LeaseStatementCount = Meter.CreateCounter<long>(
        "gateway.lease.statements", "{statement}", "Statements in those round trips.");

    private static readonly Counter<long> JournalRecordCount = Meter.CreateCounter<long>(
        "gateway.journal.records", "{record}", "Usage records written to the journal.");

    private static readonly Counter<long> JournalLostCount = Meter.CreateCounter<long>(
        "gateway.journal.lost_records", "{record}", "Usage records that could not be written to the journal.");

    private static readonly Counter<long> RowsShippedCount = Meter.CreateCounter<long>(
        "gateway.usage.rows_shipped", "{row}", "Usage rows written to the database.");

    private static readonly Counter<long> ShipFailureCount = Meter.CreateCounter<long>(
        "gateway.usage.ship_failures", "{failure}", "Failed tries to write usage rows to the database.");

    /// <summary>Labels provider, model: 0 closed, 1 half-open, 2 open.</summary>
    public static ObservedGauge<int> BreakerState { get; } = new(
        Meter, "gateway.breaker.state", null, "State of a deployment's circuit breaker: 0 closed, 1 half-open, 2 open.");

    /// <summary>Label provider.</summary>
    public static ObservedGauge<int> ProviderInFlight { get; } = new(
        Meter, "gateway.provider.in_flight", "{attempt}", "Upstream calls running at a provider.");

    /// <summary>Label provider.</summary>
    public static ObservedGauge<int> ProviderQueued { get; } = new(
        Meter, "gateway.provider.queued", "{attempt}", "Upstream calls waiting for a place at a provider.");

    public static ObservedGauge<long> JournalPendingRows { get; } = new(
        Meter, "gateway.journal.pending_rows", "{row}", "Usage rows in the journal that are not in the database yet.");

    public static ObservedGauge<long> JournalBytes { get; } = new(
        Meter, "gateway.journal", "By", "Size of the usage journal on disk.");

    public static ObservedGauge<double> ConfigAge { get; } = new(
        Meter, "gateway.config.age", "s", "Time since the configuration was last read, or known to be unchanged.");

    public static ObservedGauge<int> DatabaseUp { get; } = new(
        Meter, "gateway.database.up", null, "Whether the database answered when it was last asked: 1 or 0.");

    /// <summary>
    /// Shows at zero what an alert waits for: a counter that appears with its first event has, to Prometheus, never risen.
    /// </summary>
    public static void Declare()
    {
        InFlight.Add(0);
        JournalLostCount.Add(0);
        RowsShippedCount.Add(0);
        ShipFailureCount.Add(0);
        foreach (var scope in (ReadOnlySpan<string>)["key", "bot", "workspace"])
        {
            LimitRefusalCount.Add(0, new("kind", "unavailable"), new KeyValuePair<string, object?>("scope", scope));
        }
    }

    /// <summary>A request has come. <see cref="RequestEnded"/> must follow.</summary>
    public static void RequestStarted() => InFlight.Add(1);

    /// <param name="route">The route's pattern, never the path that was asked for.</param>
    /// <param name="end"><c>ok</c>, <c>caller_left</c> or an error's code.</param>
    public static void RequestEnded(string route, int status, string end, double seconds)
    {
        InFlight.Add(-1);
        RequestCount.Add(1, new("route", route), new("status", StatusText(status)), new("end", end));
        RequestDuration.Record(seconds, new KeyValuePair<string, object?>("route", route));
    }

    /// <param name="kind"><c>model</c> or <c>bot</c>.</param>
    public static void FirstContent(string kind, double seconds) =>
        FirstContentDuration.Record(seconds, new KeyValuePair<string, object?>("kind", kind));

    /// <param name="model">The model's configured name; <c>*</c> for one that the wildcard matched.</param>
    /// <param name="outcome">One of a few words, such as <c>ok</c>, <c>429</c>, <c>5xx</c>, <c>timeout</c>, <c>cut</c>.</param>
    public static void AttemptEnded(string provider, string model, string outcome, double seconds)
    {
        AttemptCount.Add(1, new("provider", provider), new("model", model), new("outcome", outcome));
        AttemptDuration.Record(seconds, new("provider", provider), new KeyValuePair<string, object?>("model", model));
    }

    public static void BreakerTrial(string provider, string model) =>
        BreakerTrialCount.Add(1, new("provider", provider), new KeyValuePair<string, object?>("model", model));

    /// <param name="mode"><c>prefill</c> or <c>replay</c>.</param>
    /// <param name="outcome">One of a few words, such as <c>ok</c>, <c>mismatch</c>, <c>failed</c>.</param>
    public static void Rescue(string mode, string outcome) =>
        RescueCount.Add(1, new("mode", mode), new KeyValuePair<string, object?>("outcome", outcome));

    /// <param name="model">The model's configured name; <c>*</c> for one that the wildcard matched.</param>
    /// <param name="input">With the cached ones.</param>
    /// <param name="output">With the reasoning ones.</param>
    public static void Tokens(string model, long input, long cachedInput, long output, long reasoning)
    {
        Tokens(model, "input", input);
        Tokens(model, "cached_input", cachedInput);
        Tokens(model, "output", output);
        Tokens(model, "reasoning", reasoning);
    }

    public static void CostUsd(string model, double usd) => Cost.Add(usd, new KeyValuePair<string, object?>("model", model));

    /// <param name="kind"><c>requests</c>, <c>tokens</c>, <c>budget</c>, <c>concurrent</c>, <c>unpriced</c> or <c>unavailable</c>.</param>
    /// <param name="scope"><c>key</c>, <c>bot</c> or <c>workspace</c>.</param>
    public static void LimitRefused(string kind, string scope) =>
        LimitRefusalCount.Add(1, new("kind", kind), new KeyValuePair<string, object?>("scope", scope));

    /// <param name="outcome"><c>answered</c> or <c>failed</c>.</param>
    public static void LeaseRequested(string outcome, int statements)
    {
        LeaseRequestCount.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        LeaseStatementCount.Add(statements);
    }

    public static void JournalStartWritten() => JournalRecordCount.Add(1, new KeyValuePair<string, object?>("kind", "start"));

    public static void JournalEndWritten() => JournalRecordCount.Add(1, new KeyValuePair<string, object?>("kind", "end"));

    public static void JournalRecordsLost(long records) => JournalLostCount.Add(records);

    public static void RowsShipped(long rows) => RowsShippedCount.Add(rows);

    public static void ShipFailed() => ShipFailureCount.Add(1);

    private static void Tokens(string model, string kind, long tokens)
    {
        if (tokens > 0)
        {
            TokenCount.Add(tokens, new("model", model), new KeyValuePair<string, object?>("kind", kind));
        }
    }

    /// <summary>Without this an int would be boxed for every request.</summary>
    private static string StatusText(int status) => status switch
    {
        200 => "200",
        400 => "400",
        401 => "401",
        404 => "404",
        429 => "429",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        _ => status.ToString(CultureInfo.InvariantCulture),
    };
}
