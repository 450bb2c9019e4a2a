using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Support;
using Gateway.Upstream;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Upstream;

/// <summary>Parameters that an upstream says it does not take: left out, sent again, remembered.</summary>
public sealed class AdjustmentTests : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private readonly Transport _transport = new();
    private FakeUpstream _upstream = null!;
    private UpstreamClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeUpstream.StartAsync();
        _client = new UpstreamClient(
            _transport, new Adjustments(_clock), NullLogger<UpstreamClient>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _transport.Dispose();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_parameter_is_left_out_named_and_remembered_for_ten_minutes()
    {
        _upstream.Answers(Answer.ByRequest(Refusing("unsupported_parameter", "temperature")));

        var first = await SendAsync("""{"temperature":1,"model":"x"}""");
        var second = await SendAsync("""{"temperature":2,"model":"x"}""");
        _clock.Step(TimeSpan.FromMinutes(11));
        var third = await SendAsync("""{"temperature":2,"model":"x"}""");

        Assert.Equal((200, 200, 200), (first.Status, second.Status, third.Status));
        Assert.Equal(["temperature"], first.Dropped);
        Assert.Equal(["temperature"], second.Dropped);
        Assert.Equal(
            [
                """{"temperature":1,"model":"real"}""", """{"model":"real"}""",
                """{"model":"real"}""",
                """{"temperature":2,"model":"real"}""", """{"model":"real"}""",
            ],
            Sent());
    }

    [Fact]
    public async Task A_value_is_left_out_and_other_values_are_sent()
    {
        _upstream.Answers(Answer.ByRequest(request =>
            request.Json["temperature"]?.GetValue<int>() is 0 ? Refusal("unsupported_value", "temperature") : Answer.Json("{}")));

        await SendAsync("""{"temperature":0,"model":"x"}""");
        await SendAsync("""{"temperature":1,"model":"x"}""");
        await SendAsync("""{"temperature":0,"model":"x"}""");

        Assert.Equal(
            [
                """{"temperature":0,"model":"real"}""", """{"model":"real"}""",
                """{"temperature":1,"model":"real"}""",
                """{"model":"real"}""",
            ],
            Sent());
    }

    [Fact]
    public async Task Four_parameters_are_left_out_and_a_fifth_refusal_is_passed_on()
    {
        _upstream.Answers(Answer.ByRequest(Refusing("unsupported_parameter", "temperature", "top_p", "seed", "user", "store")));

        var five = await SendAsync("""{"temperature":1,"top_p":1,"seed":1,"user":"u","store":true,"model":"x"}""");
        var requests = _upstream.Requests.Count;
        var again = await SendAsync("""{"temperature":1,"top_p":1,"seed":1,"user":"u","store":true,"model":"x"}""");

        Assert.Equal((400, 5, 200), (five.Status, requests, again.Status));
    }

    [Theory]
    [InlineData("tools", "[]")]
    [InlineData("response_format", """{"type":"text"}""")]
    [InlineData("stop", "\"a\"")]
    [InlineData("n", "2")]
    [InlineData("messages", "[]")]
    [InlineData("model", "\"y\"")]
    [InlineData("something_new", "1")]
    public async Task What_would_change_the_answers_meaning_is_never_left_out(string name, string value)
    {
        _upstream.Answers(Refusal("unsupported_parameter", name));

        var reply = await SendAsync(name == "model" ? """{"model":"y"}""" : $$"""{"model":"x","{{name}}":{{value}}}""");

        Assert.Equal(400, reply.Status);
        Assert.Single(_upstream.Requests);
        Assert.Empty(reply.Dropped);
    }

    [Theory]
    [InlineData("max_tokens", "max_completion_tokens")]
    [InlineData("max_completion_tokens", "max_tokens")]
    public async Task A_limit_is_sent_again_under_its_other_name(string name, string other)
    {
        _upstream.Answers(Answer.ByRequest(Refusing("unsupported_parameter", name)));

        var reply = await SendAsync($$"""{"model":"x","{{name}}":7}""");

        Assert.Equal(200, reply.Status);
        Assert.Empty(reply.Dropped);
        Assert.Equal($$"""{"model":"real","{{other}}":7}""", Sent()[^1]);
    }

    [Fact]
    public async Task An_upstream_that_takes_neither_name_of_a_limit_has_the_last_word()
    {
        _upstream.Answers(Answer.ByRequest(Refusing("unsupported_parameter", "max_tokens", "max_completion_tokens")));

        var reply = await SendAsync("""{"model":"x","max_tokens":7}""");

        Assert.Equal((400, 2), (reply.Status, _upstream.Requests.Count));
    }

    [Fact]
    public async Task A_value_of_a_limit_is_not_ours_to_change()
    {
        _upstream.Answers(Refusal("unsupported_value", "max_tokens"));

        var reply = await SendAsync("""{"model":"x","max_tokens":7}""");

        Assert.Equal((400, 1), (reply.Status, _upstream.Requests.Count));
    }

    [Theory]
    [InlineData("unsupported_parameter", "stream_options", """{"model":"x"}""")]
    [InlineData("unsupported_value", "stream_options.include_usage", """{"model":"x","stream_options":{"include_usage":false}}""")]
    [InlineData("unsupported_value", "stream_options", """{"stream_options":null,"model":"x"}""")]
    public async Task The_usage_that_we_asked_for_ourselves_is_given_up(string code, string param, string sent)
    {
        _upstream.Answers(Answer.ByRequest(request => request.Json["stream_options"] is null ? Answer.Json("{}") : Refusal(code, param)));

        var first = await SendAsync(sent, isStream: true);
        var second = await SendAsync(sent, isStream: true);

        Assert.Equal((200, 200, 3), (first.Status, second.Status, _upstream.Requests.Count));
        Assert.Equal("""{"model":"real"}""", Sent()[^1]);
    }

    [Fact]
    public async Task An_upstream_that_refuses_what_is_not_there_is_not_asked_again()
    {
        _upstream.Answers(Refusal("unsupported_parameter", "temperature"));

        var absent = await SendAsync("""{"model":"x"}""");
        var left = await SendAsync("""{"model":"x","temperature":1}""");

        Assert.Equal((400, 400, 3), (absent.Status, left.Status, _upstream.Requests.Count));
    }

    [Fact]
    public void Only_so_much_is_remembered()
    {
        var adjustments = new Adjustments(_clock);
        for (var i = 0; i < 1_000; i++)
        {
            adjustments.Learn("p", "m", new Unsupported("user", $"{i}"));
            _clock.Step(TimeSpan.FromMilliseconds(1));
        }

        var known = adjustments.Known("p", "m")!;
        Assert.InRange(known.Count, 1, 64);
        Assert.Contains(new Unsupported("user", "999"), known);
        Assert.Null(adjustments.Known("p", "other"));
    }

    private async Task<(int Status, List<string> Dropped)> SendAsync(string json, bool isStream = false)
    {
        var call = BodyCase.Call(json, _upstream.BaseUrl, isStream);
        var trail = new AttemptTrail(call.Route, call.Usage, 0, TimeProvider.System, Cancel);
        var breaker = new CircuitBreaker(TimeProvider.System);
        Assert.True(breaker.TryEnter(out var ticket, out _));
        using var attempt = new Attempt(
            trail, call.Route, call.Route.Model.Deployments[0], breaker, ticket, null, TimeProvider.System);
        var (opened, failure) = await _client.OpenAsync(call, attempt);
        using var response = opened;
        return ((int?)response?.StatusCode ?? failure!.Error.Status, [.. call.DroppedParams]);
    }

    private List<string> Sent() => [.. _upstream.Requests.Select(r => Encoding.UTF8.GetString(r.Body))];

    /// <summary>Refuses the first of these that a request has, as OpenAI does.</summary>
    private static Func<UpstreamRequest, UpstreamAnswer> Refusing(string code, params string[] names) => request =>
        names.FirstOrDefault(name => request.Json.AsObject().ContainsKey(name)) is { } name ? Refusal(code, name) : Answer.Json("{}");

    private static UpstreamAnswer Refusal(string code, string param) => Answer.Fixed(
        JsonSerializer.SerializeToUtf8Bytes(new { error = new { message = $"No {param}.", type = "invalid_request_error", param, code } }),
        HttpStatusCode.BadRequest);

    private sealed class SteppedClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Step(TimeSpan time) => _now += time;
    }
}
