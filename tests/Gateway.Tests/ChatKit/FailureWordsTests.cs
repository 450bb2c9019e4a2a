using Gateway.ChatKit.Turns;
using Gateway.Http;

namespace Gateway.Tests.ChatKit;

/// <summary>What a page's user reads of each kind of failure.</summary>
public sealed class FailureWordsTests
{
    private const string Plan = "deployment eu-4 of key 'web'";

    [Theory]
    [InlineData(429, "rate_limit_exceeded", 0.0, "Too many messages are sent at the moment. Please try again in 1 second.", true)]
    [InlineData(429, "rate_limit_exceeded", 12.3, "Too many messages are sent at the moment. Please try again in 13 seconds.", true)]
    [InlineData(429, "rate_limit_exceeded", 3_000.0, "Too many messages are sent at the moment. Please try again in 50 minutes.", true)]
    [InlineData(429, null, null, "Too many messages are sent at the moment. Please try again in a moment.", true)]
    [InlineData(429, "insufficient_quota", null, "This chat has used up what it may use for now. Please come back later.", false)]
    [InlineData(400, "context_length_exceeded", null, "This conversation has become too long. Please begin a new one, or send less at once.", false)]
    [InlineData(400, "content_filter", null, "The model does not answer this. Please say it in other words.", false)]
    [InlineData(404, "model_not_found", null, "What was chosen for this message is not there. Please choose another model or tool.", false)]
    [InlineData(403, "price_unknown", null, "This chat is not set up to answer. Please tell those who run it.", false)]
    [InlineData(504, "upstream_timeout", null, "The answer took too long. Please try again.", true)]
    [InlineData(503, "upstream_overloaded", 1.0, "There is too much to do at the moment. Please try again in a few seconds.", true)]
    [InlineData(502, "upstream_unavailable", null, "The model cannot be reached at the moment. Please try again.", true)]
    [InlineData(500, null, null, "Something went wrong here. Please try again.", true)]
    [InlineData(400, "invalid_value", null, "This message cannot be answered. Please change it, or begin a new conversation.", false)]
    public void Each_kind_of_failure_has_one_plain_sentence(int status, string? code, double? wait, string sentence, bool mayRetry)
    {
        TimeSpan? retryAfter = wait is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        var error = ApiError.FromUpstream(status, "any_type", code, Plan, null, retryAfter);

        var told = FailureWords.Of(error, "req_1");

        Assert.Equal(("custom", $"{sentence} (Reference: req_1)", mayRetry), (told.Code, told.Message, told.AllowRetry));
    }

    [Fact]
    public void Too_long_is_also_what_other_upstreams_say_in_their_own_words() => Assert.StartsWith(
        "This conversation has become too long.",
        FailureWords.Of(ApiError.FromUpstream(400, "invalid_request_error", null, "The prompt is too long: 9 tokens.", null, null), "req_1").Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_budget_of_ours_is_spent_for_a_while()
    {
        var told = FailureWords.Of(ApiError.BudgetSpent("key 'web'", "5 USD per day", "0 USD", "1 USD", DateTime.UnixEpoch), "req_1");

        Assert.Equal(("This chat has used up what it may use for now. Please come back later. (Reference: req_1)", false), (told.Message, told.AllowRetry));
    }

    /// <summary>What an upstream says of a request may quote it.</summary>
    [Fact]
    public void The_log_is_told_of_limits_and_set_up_and_never_what_may_quote_a_user()
    {
        Assert.Equal("status 429", FailureWords.Detail(ApiError.FromUpstream(429, "tokens", "rate_limit_exceeded", Plan, null, null)));
        Assert.Contains("key 'web'", FailureWords.Detail(ApiError.PriceUnknown("key 'web'", null)), StringComparison.Ordinal);
        Assert.Equal("status 400", FailureWords.Detail(ApiError.FromUpstream(400, "invalid_request_error", null, "Not allowed: 'my diary'", null, null)));
        Assert.Equal("status 502", FailureWords.Detail(ApiError.FromUpstream(502, "server_error", null, "Not allowed: 'my diary'", null, null)));
    }
}
