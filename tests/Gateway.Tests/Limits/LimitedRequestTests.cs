using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Limits;

/// <summary>What callers of limited keys, bots and workspaces see.</summary>
public sealed class LimitedRequestTests(LimitedRequestSetup setup) : IClassFixture<LimitedRequestSetup>
{
    private const string Limit = "x-ratelimit-limit-requests";

    private readonly GatewayProcess _gateway = setup.Gateway;
    private readonly string _database = setup.ConnectionString;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_of_a_limited_key_are_counted_in_headers_and_refused_beyond_the_limit_until_it_is_raised()
    {
        // Arrange
        var key = await _gateway.CreateLimitedKeyAsync(_database, l => (l.Rpm, l.Tpm) = (3, 1_000_000), Cancel);
        using var client = _gateway.Client(key.Text);
        await client.UntilShownAsync(Limit, "3", Cancel);
        await LimitedGateway.EnoughOfTheMinuteAsync(TimeSpan.FromSeconds(20), Cancel);

        // Act
        var first = await client.AskAsync(Cancel);
        var stream = await client.AskAsync(Cancel, more: ",\"stream\":true");
        var third = await client.AskAsync(Cancel);
        var refused = await client.AskAsync(Cancel);
        await LimitedGateway.LimitAsync(_database, db => db.Keys.Single(k => k.Id == Guid.Parse(key.Id)).Limits, l => l.Rpm = 5, Cancel);
        await client.UntilShownAsync(Limit, "5", Cancel);
        var raised = await client.AskAsync(Cancel);

        // Assert
        Assert.Equal([200, 200, 200, 429, 200], [first.Status, stream.Status, third.Status, refused.Status, raised.Status]);
        Assert.Equal([2L, 1, 0, 0, 1], new[] { first, stream, third, refused, raised }.Select(r => r.Number("remaining-requests")));
        Assert.All(new[] { first, stream, third, refused }, r =>
        {
            Assert.Equal((3, 1_000_000), (r.Number("limit-requests"), r.Number("limit-tokens")));
            Assert.InRange(r.Number("remaining-tokens"), 900_000, 1_000_000);
            Assert.Matches(@"^([1-5]?\d(\.\d+)?s|1m0s|\d{1,3}ms)$", r.Header("x-ratelimit-reset-requests"));
            Assert.Matches(@"^([1-5]?\d(\.\d+)?s|1m0s|\d{1,3}ms)$", r.Header("x-ratelimit-reset-tokens"));
        });
        Assert.Equal(("requests", "rate_limit_exceeded"), (refused.Type, refused.Code));
        Assert.Matches("Rate limit reached for key 'test' on requests per min \\(RPM\\): Limit 3, Used 3, Requested 1. Please try again in \\d+s.", refused.Body);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
    }

    [Fact]
    public async Task A_key_without_limits_has_no_headers_of_them()
    {
        var key = await _gateway.CreateKeyAsync(cancel: Cancel);
        using var client = _gateway.Client(key.Text);

        var reply = await client.AskAsync(Cancel);

        Assert.Equal(200, reply.Status);
        Assert.DoesNotContain(reply.Headers.Keys, name => name.StartsWith("x-ratelimit", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Beyond_the_limit_at_a_time_some_wait_and_more_are_refused()
    {
        // Arrange: an upstream that answers when it is told to.
        var upstream = setup.FreshUpstream();
        var go = new TaskCompletionSource();
        upstream.Answers(async (http, request) =>
        {
            await go.Task.WaitAsync(TimeSpan.FromSeconds(30), http.RequestAborted);
            await Answer.Json(Replies.Completion("m", "Done."))(http, request);
        });
        var key = await _gateway.CreateLimitedKeyAsync(_database, l => (l.Concurrent, l.Rpm) = (1, 1_000), Cancel, "acme");
        using var client = _gateway.Client(key.Text);
        await client.UntilShownAsync(Limit, "1000", Cancel);

        // Act
        var running = client.AskAsync(Cancel, "model/name=m");
        await upstream.NextRequestAsync(Cancel);
        var waiting = new[] { client.AskAsync(Cancel, "model/name=m"), client.AskAsync(Cancel, "model/name=m") };
        var refused = await await Task.WhenAny(waiting);
        var asked = upstream.Requests.Count;
        go.SetResult();
        var served = await Task.WhenAll([running, .. waiting]);

        // Assert: of two that came while one ran, one had a place to wait.
        Assert.Equal((429, "requests", "rate_limit_exceeded", "1"), (refused.Status, refused.Type, refused.Code, refused.Header("Retry-After")));
        Assert.Equal(1, asked);
        Assert.Equal([200, 200, 429], served.Select(r => r.Status).Order());
    }

    [Fact]
    public async Task Limits_of_a_bot_and_of_a_workspace_hold_for_all_its_keys()
    {
        // Arrange
        var upstream = setup.FreshUpstream();
        upstream.Answers(async (http, request) => await (request.Body.AsSpan().IndexOf("\"stream\":true"u8) > 0
            ? Replies.Stream(Replies.WordEvents("m", ["Hi."]))
            : Answer.Json(Replies.Completion("m", "Hi.")))(http, request));
        await LimitedGateway.LimitAsync(_database, db => db.Workspaces.Single(w => w.Name == "limited").Limits, l => l.Rpm = 3, Cancel);
        await LimitedGateway.LimitAsync(_database, db => db.Bots.Single(b => b.Id == "support").Limits, l => l.Rpm = 1, Cancel);
        using var one = _gateway.Client((await _gateway.CreateKeyAsync("limited", cancel: Cancel)).Text);
        using var other = _gateway.Client((await _gateway.CreateKeyAsync("limited", cancel: Cancel)).Text);
        await one.UntilShownAsync(Limit, "3", Cancel);
        await LimitedGateway.EnoughOfTheMinuteAsync(TimeSpan.FromSeconds(20), Cancel);

        // Act
        var bot = await one.AskAsync(Cancel, "bot/id=support");
        var botAgain = await other.AskAsync(Cancel, "bot/id=support");
        var models = new[]
        {
            await one.AskAsync(Cancel, "model/name=m"), await other.AskAsync(Cancel, "model/name=m"),
            await one.AskAsync(Cancel, "model/name=m"),
        };

        // Assert
        Assert.Equal((200, 1), (bot.Status, bot.Number("limit-requests")));
        Assert.Equal(429, botAgain.Status);
        Assert.Contains("bot 'support'", botAgain.Body, StringComparison.Ordinal);
        Assert.Equal([200, 200, 429], models.Select(m => m.Status));
        Assert.Contains("workspace 'limited'", models[2].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Money_is_not_spent_on_a_model_without_a_price_nor_beyond_the_budget()
    {
        // Arrange
        var upstream = setup.FreshUpstream();
        upstream.Answers(Answer.Json(Replies.Completion("m", "Hi.")));
        var key = await _gateway.CreateLimitedKeyAsync(
            _database, l => (l.BudgetUsd, l.BudgetPer, l.Rpm) = (1m, BudgetPer.Month, 1_000), Cancel, "acme");
        using var client = _gateway.Client(key.Text);
        await client.UntilShownAsync(Limit, "1000", Cancel);

        // Act
        var unpriced = await client.AskAsync(Cancel, "model/name=m");
        var asked = upstream.Requests.Count;
        var fits = await client.AskAsync(Cancel, "model/name=priced", ",\"max_tokens\":50000");
        var tooMuch = await client.AskAsync(Cancel, "model/name=priced", ",\"max_tokens\":150000");

        // Assert
        Assert.Equal((403, "invalid_request_error", "price_unknown"), (unpriced.Status, unpriced.Type, unpriced.Code));
        Assert.Equal(0, asked);
        Assert.Equal(200, fits.Status);
        Assert.Equal((429, "insufficient_quota", "insufficient_quota"), (tooMuch.Status, tooMuch.Type, tooMuch.Code));
        Assert.Equal(("false", null), (tooMuch.Header("x-should-retry"), tooMuch.Header("Retry-After")));
        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task A_budget_reserves_what_the_dearest_fallback_would_cost()
    {
        // Arrange
        var upstream = setup.FreshUpstream();
        upstream.Answers(Answer.Json(Replies.Completion("m", "Hi.")));
        var key = await _gateway.CreateLimitedKeyAsync(
            _database, l => (l.BudgetUsd, l.BudgetPer, l.Rpm) = (1m, BudgetPer.Month, 1_000), Cancel);
        using var client = _gateway.Client(key.Text);
        await client.UntilShownAsync(Limit, "1000", Cancel);

        // Act
        var tooMuch = await client.AskAsync(Cancel, "model/name=cheap", ",\"max_tokens\":2000");
        var fits = await client.AskAsync(Cancel, "model/name=cheap", ",\"max_tokens\":500");

        // Assert
        Assert.Equal((429, "insufficient_quota"), (tooMuch.Status, tooMuch.Code));
        Assert.Equal(200, fits.Status);
        Assert.Single(upstream.Requests);
    }
}
