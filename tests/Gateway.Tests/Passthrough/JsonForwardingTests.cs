using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

/// <summary>JSON bodies: what goes upstream, what comes back, what is refused before.</summary>
public sealed class JsonForwardingTests(PassthroughSetup setup) : PassthroughTest(setup)
{
    private const string Embeddings =
        """{"object":"list","data":[],"model":"real-name","usage":{"prompt_tokens":17,"total_tokens":17}}""";

    [Theory]
    [InlineData("/v1/embeddings")]
    [InlineData("/v1/moderations")]
    [InlineData("/v1/images/generations")]
    [InlineData("/v1/audio/speech")]
    [InlineData("/v1/audio/voices/some-new_thing")]
    public async Task Only_the_models_value_is_rewritten(string path)
    {
        Upstream.Answers(Answer.Json("{}"));

        var reply = await RawReply.PostAsync(
            Client, path + "?api-version=2&x=a%20b", """ { "input" : ["ä", 1.50e3], "mod\u0065l" : "model/name=scripted" , "unknown":{"a":null} } """, Cancel);

        Assert.Equal(200, reply.Status);
        var request = Assert.Single(Upstream.Requests);
        Assert.Equal(path + "?api-version=2&x=a%20b", request.Target);
        Assert.Equal(
            """ { "input" : ["ä", 1.50e3], "mod\u0065l" : "real-name" , "unknown":{"a":null} } """, Encoding.UTF8.GetString(request.Body));
        Assert.Equal($"{request.Body.Length}", request.Headers["Content-Length"]);
        Assert.Equal("application/json", request.Headers["Content-Type"]);
    }

    [Fact]
    public async Task The_provider_sees_its_own_credential_and_nothing_of_the_callers()
    {
        Upstream.Answers(Answer.Json("{}"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/embeddings")
        {
            Content = new StringContent("""{"model":"model/name=scripted","input":"a"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Cookie", "session=secret");
        request.Headers.Add("x-stainless-lang", "js");
        request.Headers.Add("Accept-Encoding", "gzip");
        request.Headers.Add("Accept", "application/json");

        await RawReply.ReadAsync(Client, request, Cancel);

        var headers = Assert.Single(Upstream.Requests).Headers;
        Assert.Equal("Bearer key-of-the-upstream", headers["Authorization"]);
        Assert.Equal("yes", headers["x-provider"]);
        Assert.Equal(new Uri(Upstream.BaseUrl).Authority, headers["Host"]);
        Assert.Equal(
            ["Accept", "Authorization", "Content-Length", "Content-Type", "Host", "User-Agent", "x-provider"],
            headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Of_the_replys_headers_only_what_describes_it_comes_back()
    {
        Upstream.Answers(Answer.Fixed(Encoding.UTF8.GetBytes(Embeddings), headers: new Dictionary<string, string>
        {
            ["Set-Cookie"] = "a=b",
            ["Server"] = "theirs",
            ["x-request-id"] = "req_theirs",
            ["openai-processing-ms"] = "12",
            ["Content-Disposition"] = "inline",
            ["Access-Control-Allow-Origin"] = "https://theirs.test",
        }));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/embeddings")
        {
            Content = new StringContent("""{"model":"model/name=scripted","input":"a"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("x-request-id", "ours-headers");
        request.Headers.Add("Origin", "https://page.test");

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal(Embeddings, reply.Text);
        Assert.Equal("ours-headers", reply.Headers["x-request-id"]);
        Assert.Equal("*", reply.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal("12", reply.Headers["openai-processing-ms"]);
        Assert.Equal("inline", reply.Headers["Content-Disposition"]);
        Assert.Equal("application/json", reply.ContentType);
        Assert.DoesNotContain("Set-Cookie", reply.Headers.Keys);
        Assert.DoesNotContain("Server", reply.Headers.Keys);
    }

    [Fact]
    public async Task Usage_and_deployment_are_in_the_log()
    {
        Upstream.Answers(Answer.Json(Embeddings));

        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);

        var line = await Setup.LogLineAsync(reply.Headers["x-request-id"], Cancel);
        Assert.Contains("model/name=scripted at fake/real-name, attempts 1, tokens 17+0", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_reply_is_passed_on_whole()
    {
        var large = "{\"data\":\"" + new string('x', 3_000_000) + "\",\"usage\":{\"prompt_tokens\":1}}";
        Upstream.Answers(Answer.Json(large));

        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);

        Assert.Equal(large, reply.Text);
    }

    [Fact]
    public async Task A_models_dropParams_hold_and_are_named()
    {
        Upstream.Answers(Answer.Json("{}"));

        var reply = await RawReply.PostAsync(
            Client, "/v1/embeddings", """{"user":"me","model":"model/name=dropping","input":"a","seed":1}""", Cancel);

        Assert.Equal("""{"model":"real-name","input":"a","seed":1}""", Encoding.UTF8.GetString(Upstream.LastBody));
        Assert.Equal("user", reply.Headers["x-gateway-dropped-params"]);
    }

    [Theory]
    [InlineData("""{"input":"a"}""", 400, "missing_required_parameter")]
    [InlineData("""{"input":"a","model":null}""", 400, "missing_required_parameter")]
    [InlineData("""{"input":"a","model":7}""", 400, "invalid_type")]
    [InlineData("""{"input":"a","model":"text-embedding-3-small"}""", 400, "invalid_model_selector")]
    [InlineData("""{"input":"a","model":"bot/id=demo"}""", 400, "invalid_model_selector")]
    [InlineData("""{"input":"a","model":"model/name=nobody"}""", 404, "model_not_found")]
    [InlineData("""{"input":"a","model":"model/name=foreign"}""", 404, "model_not_found")]
    [InlineData("""{"input":"a","model":"model/name=demo","model":"model/name=demo"}""", 400, "duplicate_parameter")]
    [InlineData("""{"input":"a","model":"model/name=demo" """, 400, "")]
    [InlineData("", 400, "")]
    public async Task A_bad_body_is_refused_on_every_route(string body, int status, string code)
    {
        foreach (var path in new[] { "embeddings", "moderations", "images/generations", "audio/speech", "completions" })
        {
            var reply = await RawReply.PostAsync(Client, $"/v1/{path}", body, Cancel);

            Assert.Equal((status, code), (reply.Status, Code(reply)));
        }

        Assert.Empty(Upstream.Requests);
    }

    [Fact]
    public async Task A_key_reaches_only_its_selectors()
    {
        var key = await Setup.Gateway.CreateKeyAsync(selectors: ["model/name=demo"], cancel: Cancel);
        using var client = Setup.Gateway.Client(key.Text);

        var refused = await RawReply.PostAsync(client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);
        var allowed = await RawReply.PostAsync(client, "/v1/embeddings", """{"model":"model/name=demo","input":"a"}""", Cancel);

        Assert.Equal((404, "model_not_found", 200), (refused.Status, Code(refused), allowed.Status));
    }

    [Theory]
    [InlineData("POST", "/v1/images", 404)]
    [InlineData("POST", "/v1/images/%252e%252e/%252e%252e/admin", 404)]
    [InlineData("POST", "/v1/audio/..%2f..%2fadmin", 404)]
    [InlineData("GET", "/v1/images/generations", 405)]
    [InlineData("GET", "/v1/embeddings", 405)]
    public async Task A_path_that_is_none_of_ours_goes_nowhere(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
        {
            request.Content = new StringContent("""{"model":"model/name=scripted"}""", Encoding.UTF8, "application/json");
        }

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal(status, reply.Status);
        Assert.NotEqual("", Code(reply));
        Assert.Empty(Upstream.Requests);
    }

    [Theory]
    [InlineData("/v1/embeddings", "text/plain")]
    [InlineData("/v1/audio/transcriptions", "text/plain")]
    [InlineData("/v1/images/edits", "application/x-www-form-urlencoded")]
    public async Task Another_content_type_is_a_415(string path, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("model=demo", Encoding.UTF8, type) };

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal((415, "unsupported_media_type"), (reply.Status, Code(reply)));
    }

    [Theory]
    [InlineData(400, 400, "bad_thing")]
    [InlineData(401, 502, "upstream_unavailable")]
    [InlineData(403, 502, "upstream_unavailable")]
    [InlineData(404, 502, "upstream_unavailable")]
    [InlineData(429, 429, "bad_thing")]
    [InlineData(503, 503, "bad_thing")]
    public async Task A_refusal_of_the_upstream_becomes_what_it_is_for_chat(int upstream, int status, string code)
    {
        Upstream.Answers(Answer.Refusal(upstream, "Said by the upstream.", code: "bad_thing", retryAfter: "7"));

        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);

        Assert.Equal((status, code), (reply.Status, Code(reply)));
        Assert.Equal(status == upstream, reply.Text.Contains("Said by the upstream.", StringComparison.Ordinal));
        Assert.True(status != 429 || reply.Headers["Retry-After"] == "7");
        Assert.True(reply.Headers.ContainsKey("x-request-id"));
    }

    [Fact]
    public async Task A_refusal_that_is_no_JSON_is_wrapped()
    {
        Upstream.Answers(Answer.Fixed("<h1>Oh no</h1>"u8.ToArray(), HttpStatusCode.InternalServerError, "text/html"));

        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);

        Assert.Equal((500, "application/json"), (reply.Status, reply.ContentType));
        Assert.Contains("model/name=scripted", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_cannot_be_reached_is_a_502()
    {
        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=dead","input":"a"}""", Cancel);

        Assert.Equal((502, "upstream_unavailable"), (reply.Status, Code(reply)));
        Assert.True(reply.Headers.ContainsKey("x-request-id"));
    }

    [Fact]
    public async Task A_provider_that_hangs_up_is_a_502()
    {
        Upstream.Answers(Answer.HangUp);

        var reply = await RawReply.PostAsync(Client, "/v1/embeddings", """{"model":"model/name=scripted","input":"a"}""", Cancel);

        Assert.Equal((502, "upstream_unavailable"), (reply.Status, Code(reply)));
    }

    [Theory]
    [InlineData("""{"model":"model/name=hasty","input":"a"}""", "total")]
    [InlineData("""{"model":"model/name=hasty","input":"a","stream":true}""", "headers")]
    public async Task A_provider_that_stays_silent_is_a_504(string body, string clock)
    {
        Upstream.Answers(Answer.After(TimeSpan.FromSeconds(20), Answer.Json("{}")));

        var reply = await RawReply.PostAsync(Client, "/v1/audio/speech", body, Cancel);

        Assert.Equal((504, "upstream_timeout"), (reply.Status, Code(reply)));
        Assert.Contains($"({clock})", reply.Text, StringComparison.Ordinal);
        await Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(15), Cancel);
    }

    [Fact]
    public async Task A_plain_reply_may_be_silent_for_longer_than_the_idle_clock()
    {
        Upstream.Answers(Answer.After(TimeSpan.FromSeconds(1.2), Answer.Json("{}")));

        var reply = await RawReply.PostAsync(Client, "/v1/images/generations", """{"model":"model/name=hasty","prompt":"a"}""", Cancel);

        Assert.Equal(200, reply.Status);
    }
}
