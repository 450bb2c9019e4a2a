using System.Diagnostics;
using Gateway.Data;

namespace Gateway.Tests.Verify;

/// <summary>Every rule of the books, broken once.</summary>
public sealed class ParityBooksTests
{
    private const string Id = "one";

    [Fact]
    public void A_true_row_breaks_nothing() => Assert.Empty(Violations(Seen.Whole, Row()));

    [Fact]
    public void A_dispatched_request_without_a_row_is_told() => AssertTold("there is no row", Violations(Seen.Whole));

    [Fact]
    public void Two_rows_are_told() => AssertTold("2 rows", Violations(Seen.Whole, Row(), Row()));

    [Fact]
    public void A_row_of_nobodys_request_is_told() =>
        AssertTold("nobody sent", Violations(Seen.Whole, Row(), Row(row => row.RequestId = "another")));

    [Fact]
    public void An_estimate_of_what_ended_normally_is_told() =>
        AssertTold("is estimated", Violations(Seen.Whole, Row(row => row.IsEstimated = true)));

    [Fact]
    public void Tokens_that_the_upstream_did_not_report_are_told() =>
        AssertTold("the upstream reported", Violations(Seen.Whole, Row(row => row.OutputTokens++)));

    [Fact]
    public void A_wrong_price_is_told() => AssertTold("its price", Violations(Seen.Whole, Row(row => row.Usd = 1)));

    [Fact]
    public void Another_door_is_told() => AssertTold("it was sent as", Violations(Seen.Whole, Row(row => row.IsStream = true)));

    [Fact]
    public void A_stream_shown_as_finished_without_an_end_is_told() =>
        AssertTold("without an end", Violations(Seen.Truncated, Row()));

    [Theory]
    [InlineData(nameof(Seen.Whole), "caller_left")]
    [InlineData(nameof(Seen.Whole), "lost")]
    [InlineData(nameof(Seen.Left), "lost")]
    [InlineData(nameof(Seen.Refused), "done")]
    [InlineData(nameof(Seen.ErrorEvent), "upstream_timeout")]
    [InlineData(nameof(Seen.Broken), "done")]
    [InlineData(nameof(Seen.Broken), "caller_left")]
    [InlineData(nameof(Seen.NotConnected), "done")]
    public void A_reason_that_does_not_fit_is_told(string seen, string reason) =>
        AssertTold("the reason is not", Violations(Enum.Parse<Seen>(seen), Row(row => row.EndReason = reason)));

    [Fact]
    public void A_row_of_a_killed_gateways_request_may_be_lost() =>
        Assert.Empty(Violations(Seen.Broken, [Row(row => (row.EndReason, row.IsEstimated) = ("lost", true))], [new Kill(0, 15)]));

    [Fact]
    public void A_kill_of_the_other_gateway_explains_nothing() => AssertTold(
        "the reason is not", Violations(Seen.Broken, [Row(row => (row.EndReason, row.IsEstimated) = ("lost", true))], [new Kill(1, 15)]));

    private static void AssertTold(string what, IReadOnlyList<string> violations) =>
        Assert.Contains(violations, line => line.Contains(what, StringComparison.Ordinal));

    private static IReadOnlyList<string> Violations(Seen seen, params UsageRow[] rows) => Violations(seen, rows, []);

    private static IReadOnlyList<string> Violations(Seen seen, UsageRow[] rows, Kill[] kills)
    {
        var call = new Call(new Script(Id, 3, 0), Door.Model, false, "model/name=plain", "key", TimeSpan.Zero, null);
        var outcome = new Outcome(call, 0, seen, seen == Seen.Refused ? 502 : 200, "upstream_unavailable", 10, Stopwatch.Frequency);
        var serving = new Serving(Id);
        serving.Report(30, 3);
        return new ParityBooks([outcome], rows, [Id], id => id == Id ? [serving] : [], kills).Violations();
    }

    private static UsageRow Row(Action<UsageRow>? change = null)
    {
        var row = new UsageRow
        {
            RequestId = Id,
            Route = "/v1/chat/completions",
            Selector = "model/name=plain",
            Model = Calls.Plain,
            EndReason = "done",
            Status = 200,
            InputTokens = 30,
            OutputTokens = 3,
            Usd = 0.000084m,
            Attempts = "[]",
        };
        change?.Invoke(row);
        return row;
    }
}
