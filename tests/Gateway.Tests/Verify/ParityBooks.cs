using System.Diagnostics;
using Gateway.Data;

namespace Gateway.Tests.Verify;

/// <summary>A gateway that was killed.</summary>
/// <param name="At">On <see cref="Stopwatch"/>'s clock.</param>
internal sealed record Kill(int Gateway, long At);

/// <summary>Holds the usage rows against what the clients saw and what the upstream counted.</summary>
internal sealed class ParityBooks(
    IReadOnlyList<Outcome> outcomes, IReadOnlyCollection<UsageRow> rows, IEnumerable<string> dispatched,
    Func<string, IReadOnlyList<Serving>> servings, IReadOnlyList<Kill> kills)
{
    /// <summary>A killed process writes no more; what it had written may reach its caller a moment later.</summary>
    private static readonly TimeSpan AfterKill = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Outcome> _outcomes = outcomes.ToDictionary(o => o.Call.Script.Id);
    private readonly ILookup<string, UsageRow> _rows = rows.ToLookup(r => r.RequestId);
    private readonly HashSet<string> _dispatched = [.. dispatched];

    /// <summary>What does not agree, one line each.</summary>
    public IReadOnlyList<string> Violations()
    {
        var wrong = new List<string>();
        wrong.AddRange(_dispatched.Where(id => !_rows.Contains(id)).Select(id => $"{id}: the upstream was asked and there is no row ({Tell(id)})"));
        wrong.AddRange(_rows.Where(r => r.Count() > 1).Select(r => $"{r.Key}: {r.Count()} rows"));
        wrong.AddRange(outcomes.Where(o => o.Seen == Seen.Truncated).Select(o => $"{o.Call.Script.Id}: a stream without an end was shown as finished"));
        foreach (var row in rows)
        {
            if (!_outcomes.TryGetValue(row.RequestId, out var outcome))
            {
                wrong.Add($"{row.RequestId}: a row of a request that nobody sent");
                continue;
            }

            if (Judge(row, outcome) is { } why)
            {
                wrong.Add($"{row.RequestId}: {why}; row {row.EndReason} {row.Status} {row.InputTokens}+{row.OutputTokens} {row.Attempts}; {Tell(row.RequestId)}");
            }
        }

        return wrong;
    }

    /// <summary>For the closing note.</summary>
    public IEnumerable<string> Figures()
    {
        var reported = rows.Where(r => !r.IsEstimated).ToList();
        var booked = reported.SelectMany(r => servings(r.RequestId)).ToList();
        yield return $"{outcomes.Count} requests, {_dispatched.Count} dispatched, {rows.Count} rows, {rows.Count(r => r.IsEstimated)} of them estimated";
        yield return $"clients saw: {Count(outcomes, o => o.Seen.ToString())}";
        yield return $"rows say: {Count(rows, r => r.EndReason)}";
        yield return $"tokens of rows that are not estimated: {reported.Sum(r => r.InputTokens)} in, {reported.Sum(r => r.OutputTokens)} out; "
            + $"the upstream's own count: {booked.Sum(s => s.InputTokens)} in, {booked.Sum(s => s.OutputTokens)} out";
    }

    private static string Count<T>(IEnumerable<T> items, Func<T, string> key) =>
        string.Join(", ", items.GroupBy(key).OrderByDescending(g => g.Count()).Select(g => $"{g.Key} {g.Count()}"));

    /// <summary>Why a row is not true; null when it is.</summary>
    private string? Judge(UsageRow row, Outcome outcome)
    {
        var call = outcome.Call;
        var served = servings(row.RequestId);
        if (row.IsEstimated && row.EndReason == "done")
        {
            return "it ended normally and is estimated";
        }

        if (!row.IsEstimated
            && (row.InputTokens != served.Sum(s => s.InputTokens) || row.OutputTokens != served.Sum(s => s.OutputTokens)))
        {
            return $"the upstream reported {served.Sum(s => s.InputTokens)}+{served.Sum(s => s.OutputTokens)}";
        }

        if (row.IsStream != call.IsStream || row.Selector != call.Selector || row.Route != call.Path)
        {
            return $"it was sent as {call.Path} {call.Selector}, stream {call.IsStream}";
        }

        if (!row.IsEstimated && row.Model == Calls.Plain && row.Usd != ((row.InputTokens * 2) + (row.OutputTokens * 8)) / 1_000_000m)
        {
            return $"its price is {row.Usd}";
        }

        return Fits(row, outcome) ? null : "the reason is not what the client saw";
    }

    private bool Fits(UsageRow row, Outcome outcome)
    {
        if (row.EndReason == "lost")
        {
            return WasKilled(outcome);
        }

        return outcome.Seen switch
        {
            Seen.Whole => row is { EndReason: "done" or "rescued", Status: 200 },
            Seen.Refused or Seen.ErrorEvent => row.EndReason == outcome.Code && row.Status == outcome.Status,
            // Its end and the client's leaving may have crossed on the way.
            Seen.Left => true,
            Seen.Broken => WasKilled(outcome)
                || (row.EndReason is not ("done" or "rescued" or "caller_left") && (outcome.Call.Door == Door.Embedding || row.EndReason == "shutdown")),
            _ => false,
        };
    }

    private bool WasKilled(Outcome outcome) => kills.Any(kill =>
        kill.Gateway == outcome.Gateway && kill.At >= outcome.BeganAt
        && Stopwatch.GetElapsedTime(outcome.EndedAt, kill.At) < AfterKill);

    private string Tell(string id) => _outcomes.TryGetValue(id, out var o)
        ? $"client {o.Seen} {o.Status} {o.Code}, {o.Call.Door} at gateway {o.Gateway}, {o.Call.Script}, {servings(id).Count} served"
        : "not sent by the run";
}
