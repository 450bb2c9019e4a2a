using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>Request ids, and what browsers are told.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class HeaderTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Stainless = "authorization, content-type, x-stainless-lang, x-stainless-retry-count, openai-beta";

    [Theory]
    [InlineData("req_0123456789abcdef")]
    [InlineData("a")]
    [InlineData("{00000000-0000-0000-0000-000000000000}")]
    public async Task A_sane_request_id_comes_back(string id) =>
        Assert.Equal(id, (await SendAsync($"GET /v1/models HTTP/1.1\nx-request-id: {id}")).Headers["x-request-id"]);

    [Fact]
    public async Task A_request_id_comes_back_up_to_its_limit()
    {
        var longest = new string('x', 128);

        Assert.Equal(longest, (await SendAsync($"GET /v1/models HTTP/1.1\nx-request-id: {longest}")).Headers["x-request-id"]);
        Assert.StartsWith(
            "req_", (await SendAsync($"GET /v1/models HTTP/1.1\nx-request-id: {longest}x")).Headers["x-request-id"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x-request-id:")]
    [InlineData("x-request-id: two words")]
    [InlineData("x-request-id: gr\u00fc\u00dfe")]
    [InlineData("x-request-id: a\tb")]
    [InlineData("x-request-id: one\nx-request-id: two")]
    [InlineData("x-other: none")]
    public async Task An_insane_request_id_is_replaced(string header)
    {
        var first = await SendAsync($"GET /v1/models HTTP/1.1\n{header}");
        var second = await SendAsync($"GET /v1/models HTTP/1.1\n{header}");

        Assert.Matches("^req_[0-9a-f]{32}$", first.Headers["x-request-id"]);
        Assert.NotEqual(first.Headers["x-request-id"], second.Headers["x-request-id"]);
    }

    [Theory]
    [InlineData("7", "7")]
    [InlineData("60", "60")]
    [InlineData("86400", "60")]
    [InlineData("Fri, 01 Jan 2100 00:00:00 GMT", "60")]
    public async Task A_caller_is_never_told_to_wait_for_more_than_a_minute(string said, string told)
    {
        Upstream.Answers(Answer.Refusal(429, "Too fast.", "requests", "rate_limit_exceeded", retryAfter: said));

        var reply = await Setup.ChatAsync("""{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}]}""", Cancel);

        Assert.Equal((429, told), (reply.Status, reply.Headers["Retry-After"]));
    }

    [Theory]
    [InlineData("GET /v1/nothing", 404)]
    [InlineData("GET /v1/chat/completions", 405)]
    [InlineData("GET /health/live", 200)]
    public async Task Every_answer_has_the_request_id(string line, int status)
    {
        var reply = await SendAsync($"{line} HTTP/1.1\nx-request-id: mine");

        Assert.Equal((status, "mine"), (reply.Status, reply.Headers["x-request-id"]));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "POST")]
    [InlineData("/v1/models", "GET")]
    [InlineData("/v1/models/model%2Fname%3Dplain", "GET")]
    [InlineData("/v1//chat/completions/", "POST")]
    public async Task A_preflight_is_answered_without_a_key(string path, string method)
    {
        var reply = await RawConnection.SendAsync(
            Setup.Gateway.BaseUrl,
            $"OPTIONS {path} HTTP/1.1\nOrigin: https://app.test\nAccess-Control-Request-Method: {method}\nAccess-Control-Request-Headers: {Stainless}",
            [], Cancel);

        Assert.Equal(204, reply.Status);
        Assert.Equal("*", reply.Headers["Access-Control-Allow-Origin"]);
        Assert.Contains(method, reply.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);
        Assert.Equal(Stainless, reply.Headers["Access-Control-Allow-Headers"]);
        Assert.False(reply.Headers.ContainsKey("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("GET /v1/models", true, 200)]
    [InlineData("GET /v1/models", false, 401)]
    [InlineData("GET /v1/nothing", true, 404)]
    [InlineData("DELETE /v1/models", true, 405)]
    public async Task A_browser_may_read_answers_and_refusals_alike(string line, bool withKey, int status)
    {
        var key = withKey ? $"\nAuthorization: Bearer {Setup.Key}" : "";

        var reply = await RawConnection.SendAsync(Setup.Gateway.BaseUrl, $"{line} HTTP/1.1\nOrigin: https://app.test{key}", [], Cancel);

        Assert.Equal(status, reply.Status);
        AssertReadable(reply);
    }

    [Fact]
    public async Task A_browser_may_read_a_stream()
    {
        Upstream.Answers(Replies.Stream(Replies.WordEvents("plain", ["Yes."])));
        var body = """{"model":"model/name=plain","stream":true,"messages":[{"role":"user","content":"hi"}]}""";

        var reply = await RawConnection.SendAsync(
            Setup.Gateway.BaseUrl,
            $"POST /v1/chat/completions HTTP/1.1\nOrigin: https://app.test\nAuthorization: Bearer {Setup.Key}\nContent-Length: {body.Length}",
            Encoding.UTF8.GetBytes(body), Cancel);

        AssertReadable(reply);
        Assert.Equal("text/event-stream; charset=utf-8", reply.ContentType);
        Assert.Equal(("no-cache", "no"), (reply.Headers["Cache-Control"], reply.Headers["X-Accel-Buffering"]));
        Assert.False(reply.Headers.ContainsKey("Content-Encoding"));
    }

    [Theory]
    [InlineData("OPTIONS /admin/v1/keys")]
    [InlineData("OPTIONS /ADMIN/v1/keys")]
    [InlineData("OPTIONS //admin/v1/keys")]
    [InlineData("GET /admin/v1/keys")]
    [InlineData("GET /Admin/v1/keys")]
    [InlineData("GET /%61dmin/v1/keys")]
    public async Task The_management_API_is_closed_to_pages_elsewhere(string line)
    {
        var reply = await RawConnection.SendAsync(
            Setup.Gateway.BaseUrl,
            $"{line} HTTP/1.1\nOrigin: https://app.test\nAccess-Control-Request-Method: GET\nAuthorization: Bearer {GatewayProcess.AdminKey}",
            [], Cancel);

        Assert.DoesNotContain(reply.Headers.Keys, name => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }

    private static void AssertReadable(RawReply reply)
    {
        Assert.Equal("*", reply.Headers["Access-Control-Allow-Origin"]);
        Assert.Contains("x-request-id", reply.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        Assert.Contains("retry-after", reply.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
    }

    private Task<RawReply> SendAsync(string head) =>
        RawConnection.SendAsync(Setup.Gateway.BaseUrl, $"{head}\nAuthorization: Bearer {Setup.Key}", [], Cancel);
}
