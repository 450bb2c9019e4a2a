using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>Paths and methods, right and wrong, as they stand on the wire.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class RouteTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Good = """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}]}""";

    [Theory]
    [InlineData("GET", "/v1/chat/completions", "POST")]
    [InlineData("PUT", "/v1/chat/completions", "POST")]
    [InlineData("DELETE", "/v1/chat/completions", "POST")]
    [InlineData("PATCH", "/v1/chat/completions", "POST")]
    [InlineData("OPTIONS", "/v1/chat/completions", "POST")]
    [InlineData("BREW", "/v1/chat/completions", "POST")]
    [InlineData("POST", "/v1/models", "GET")]
    [InlineData("DELETE", "/v1/models/model/name=plain", "GET")]
    [InlineData("PUT", "/admin/v1/keys", "GET, POST")]
    public async Task A_wrong_method_is_refused_with_the_right_ones(string method, string path, string allowed)
    {
        var reply = await SendAsync($"{method} {path} HTTP/1.1\nContent-Length: 0");

        await Setup.AssertRefusedAsync(reply, 405, "method_not_supported");
        Assert.Equal(allowed, string.Join(", ", reply.Headers["Allow"].Split(", ").Order()));
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/v1/")]
    [InlineData("GET", "/v2/models")]
    [InlineData("POST", "/v1/chat")]
    [InlineData("POST", "/chat/completions")]
    [InlineData("POST", "/v1/assistants")]
    [InlineData("GET", "/v1/chat/completions/chatcmpl-1")]
    [InlineData("GET", "/favicon.ico")]
    [InlineData("GET", "/admin")]
    [InlineData("GET", "/admin/v1/nothing")]
    [InlineData("GET", "/v1/%F0%9F%98%80")]
    [InlineData("POST", "/%2e%2e/%2e%2e/etc/passwd")]
    public async Task An_unknown_route_is_refused_with_a_key_and_without(string method, string path)
    {
        foreach (var key in new[] { $"\nAuthorization: Bearer {Setup.Key}", "" })
        {
            var reply = await RawConnection.SendAsync(
                Setup.Gateway.BaseUrl, $"{method} {path} HTTP/1.1\nContent-Length: 0{key}", [], Cancel);

            await Setup.AssertRefusedAsync(reply, 404, "unknown_url");
        }
    }

    [Theory]
    [InlineData("/v1/nothing", 404)]
    [InlineData("/v1/models", 405)]
    [InlineData("/v1/chat/completions", 405)]
    public async Task HEAD_is_answered_without_a_body(string path, int status)
    {
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);
        await connection.WriteAsync(RawConnection.Head($"HEAD {path} HTTP/1.1\nAuthorization: Bearer {Setup.Key}"), Cancel);
        var reply = await connection.ReadReplyAsync(isHead: true, Cancel);
        // Had a body followed, it would stand before the next reply's head.
        await connection.WriteAsync(RawConnection.Head($"GET /v1/models HTTP/1.1\nAuthorization: Bearer {Setup.Key}"), Cancel);
        var next = await connection.ReadReplyAsync(false, Cancel);

        Assert.Equal((status, 200), (reply.Status, next.Status));
        Assert.NotEmpty(reply.Headers["x-request-id"]);
    }

    [Theory]
    [InlineData("/v1/chat/completions")]
    [InlineData("/v1/chat/completions/")]
    [InlineData("/v1/chat/completions//")]
    [InlineData("//v1/chat/completions")]
    [InlineData("/v1//chat///completions")]
    [InlineData("/v1/v1/chat/completions")]
    [InlineData("/v1/v1/v1//chat/completions/")]
    [InlineData("/v1/chat/completions?api-version=2024-06-01")]
    [InlineData("/v1/./chat/completions")]
    public async Task A_mistyped_base_address_still_reaches_chat(string path)
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));

        var reply = await RawConnection.SendAsync(
            Setup.Gateway.BaseUrl,
            $"POST {path} HTTP/1.1\nAuthorization: Bearer {Setup.Key}\nContent-Type: application/json\nContent-Length: {Good.Length}",
            Encoding.UTF8.GetBytes(Good), Cancel);

        Assert.Equal(200, reply.Status);
    }

    [Theory]
    [InlineData("/v1/models/model/name=plain", "model/name=plain")]
    [InlineData("/v1/models/model%2Fname%3Dplain", "model/name=plain")]
    [InlineData("/v1/models/model%2fname=plain", "model/name=plain")]
    [InlineData("/v1/models/model%2Fid%3Dplain", "model/name=plain")]
    [InlineData("/v1/models/model/name=plain/", "model/name=plain")]
    [InlineData("//v1/models/model/name=plain", "model/name=plain")]
    [InlineData("/v1//models/model%2Fname=plain", "model/name=plain")]
    [InlineData("/v1/v1/models/model%2Fname=plain", "model/name=plain")]
    [InlineData("/v1/models/model/name=vendor/with/slashes", "model/name=vendor/with/slashes")]
    [InlineData("/v1/models/model%2Fname%3Dvendor%2Fwith%2Fslashes", "model/name=vendor/with/slashes")]
    [InlineData("/v1/models/bot/id=helper", "bot/id=helper")]
    [InlineData("/v1/models/bot%2Fid%3Dhelper", "bot/id=helper")]
    public async Task One_model_is_found_encoded_or_not(string path, string id)
    {
        var reply = await SendAsync($"GET {path} HTTP/1.1");

        Assert.True(reply.Status == 200, reply.Text);
        await Setup.Schemas.AssertValidAsync("Model", reply.Body, Cancel);
        Assert.Equal(id, (string?)JsonNode.Parse(reply.Body)!["id"]);
    }

    [Theory]
    [InlineData("/v1/models/model%2Fname%3Dnever-there", 404, "model_not_found", "'model/name=never-there'")]
    [InlineData("/v1/models/bot/id=never-there", 404, "model_not_found", "'bot/id=never-there'")]
    [InlineData("/v1/models/model/name=*", 404, "model_not_found", "'model/name=*'")]
    [InlineData("/v1/models/model/name=a%2541", 404, "model_not_found", "'model/name=a%41'")]
    [InlineData("/v1/models/model/name=%FF", 404, "model_not_found", "'model/name=")]
    [InlineData("/v1/models/gpt-4o", 400, "invalid_model_selector", "'gpt-4o'")]
    [InlineData("/v1/models/conversation/x", 400, "invalid_model_selector", "'conversation/x'")]
    public async Task One_model_that_is_none_is_refused(string path, int status, string code, string named) =>
        Assert.Contains(
            named, await Setup.AssertRefusedAsync(await SendAsync($"GET {path} HTTP/1.1"), status, code, "model"), StringComparison.Ordinal);

    [Theory]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/")]
    [InlineData("/v1/v1/models")]
    public async Task The_list_holds_what_this_key_may_use(string path)
    {
        var reply = await SendAsync($"GET {path} HTTP/1.1");

        Assert.Equal(200, reply.Status);
        await Setup.Schemas.AssertValidAsync("ListModelsResponse", reply.Body, Cancel);
        var list = JsonNode.Parse(reply.Body)!["data"]!.AsArray().ToDictionary(item => (string)item!["id"]!, item => item!.AsObject());
        string[] expected = ["model/name=plain", "model/name=demo", "model/name=vendor/with/slashes", "bot/id=helper", "bot/id=demo"];
        Assert.All(expected, id => Assert.Contains(id, list.Keys));
        Assert.DoesNotContain("model/name=of-other", list.Keys);
        Assert.DoesNotContain("bot/id=theirs", list.Keys);
        Assert.Equal(("The helper", "Made for a test of helper."), ((string?)list["bot/id=helper"]["name"], (string?)list["bot/id=helper"]["description"]));
        Assert.False(list["model/name=plain"].ContainsKey("name"));
    }

    private Task<RawReply> SendAsync(string head) =>
        RawConnection.SendAsync(Setup.Gateway.BaseUrl, $"{head}\nAuthorization: Bearer {Setup.Key}", [], Cancel);
}
