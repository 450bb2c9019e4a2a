using System.Text;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Http;

/// <summary>Who is let in, and what those who are not learn.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class KeyTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Good = """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}]}""";
    private const string Unknown = "sk-gw-unknown-key-0123456789-abcdefgh";

    [Theory]
    [InlineData("")]
    [InlineData("Authorization:")]
    [InlineData("Authorization: Bearer")]
    [InlineData("Authorization: Bearer    ")]
    [InlineData("Authorization: Basic dXNlcjpwYXNzd29yZA==")]
    [InlineData("Authorization: sk-gw-without-its-scheme")]
    [InlineData("Authorization: Bearer one\nAuthorization: Bearer two")]
    [InlineData("x-api-key: sk-gw-under-another-name")]
    public async Task No_key_is_refused(string header)
    {
        var reply = await SendAsync($"GET /v1/models HTTP/1.1\n{header}");

        await Setup.AssertRefusedAsync(reply, 401, null);
    }

    [Theory]
    [InlineData(Unknown)]
    [InlineData("x")]
    [InlineData("sk-gw-\u00e4\u00f6\u00fc")]
    [InlineData("two words")]
    public async Task An_unknown_key_is_refused_and_not_repeated(string key)
    {
        var message = await Setup.AssertRefusedAsync(
            await SendAsync($"GET /v1/models HTTP/1.1\nAuthorization: Bearer {key}"), 401, "invalid_api_key");

        Assert.DoesNotContain(key == "x" ? "x." : key, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_as_long_as_a_header_may_be_is_refused()
    {
        var reply = await SendAsync($"GET /v1/models HTTP/1.1\nAuthorization: Bearer {new string('k', 20_000)}");

        await Setup.AssertRefusedAsync(reply, 401, "invalid_api_key");
    }

    [Fact]
    public async Task Many_unknown_keys_at_once_are_each_refused()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 60)
            .Select(i => SendAsync($"GET /v1/models HTTP/1.1\nAuthorization: Bearer {Unknown}{i}")));

        Assert.All(replies, reply => Assert.Equal(401, reply.Status));
    }

    [Theory]
    [InlineData("Bearer ")]
    [InlineData("bearer ")]
    [InlineData("BEARER   ")]
    public async Task A_key_is_found_however_its_scheme_is_spelled(string scheme) =>
        Assert.Equal(200, (await SendAsync($"GET /v1/models HTTP/1.1\nAuthorization: {scheme}{Setup.Key}")).Status);

    [Fact]
    public async Task A_revoked_key_is_refused()
    {
        var key = await Setup.Gateway.CreateKeyAsync(cancel: Cancel);
        using var admin = Setup.Gateway.Client(GatewayProcess.AdminKey);
        using var client = Setup.Gateway.Client(key.Text);
        Assert.Equal(200, (await GetAsync(client, "/v1/models")).Status);

        (await admin.DeleteAsync(new Uri($"/admin/v1/keys/{key.Id}", UriKind.Relative), Cancel)).EnsureSuccessStatusCode();
        var reply = await GetAsync(client, "/v1/models");
        for (var tries = 0; tries < 600 && reply.Status == 200; tries++)
        {
            await Task.Delay(50, Cancel);
            reply = await GetAsync(client, "/v1/models");
        }

        Assert.Contains("revoked", await Setup.AssertRefusedAsync(reply, 401, "invalid_api_key"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_key_is_refused()
    {
        var end = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds());
        var key = await Setup.Gateway.CreateKeyAsync(expiresAt: end, cancel: Cancel);
        using var client = Setup.Gateway.Client(key.Text);
        Assert.Equal(200, (await GetAsync(client, "/v1/models")).Status);

        // The end is brought near only now, so that a busy machine cannot be too late for the request before it.
        await using (var source = NpgsqlDataSource.Create(Setup.ConnectionString))
        await using (var db = new GatewayDb(GatewayDatabase.Options(source)))
        {
            var row = await db.Keys.SingleAsync(k => k.Id == Guid.Parse(key.Id), Cancel);
            Assert.Equal(end.UtcDateTime, row.ExpiresAt);
            row.ExpiresAt = DateTime.UtcNow.AddSeconds(1);
            await db.SaveChangesAsync(Cancel);
        }

        var reply = await GetAsync(client, "/v1/models");
        for (var tries = 0; tries < 600 && reply.Status == 200; tries++)
        {
            await Task.Delay(50, Cancel);
            reply = await GetAsync(client, "/v1/models");
        }

        var message = await Setup.AssertRefusedAsync(reply, 401, "invalid_api_key");
        Assert.Contains("expired", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_without_the_scope_of_chat_is_refused_there()
    {
        using var client = Setup.Gateway.Client((await Setup.Gateway.CreateKeyAsync(scopes: ["admin"], cancel: Cancel)).Text);

        await Setup.AssertRefusedAsync(await GetAsync(client, "/v1/models"), 403, "insufficient_permissions");
        await Setup.AssertRefusedAsync(
            await RawReply.PostAsync(client, "/v1/chat/completions", Good, Cancel), 403, "insufficient_permissions");
    }

    [Fact]
    public async Task A_key_without_the_scope_of_admin_is_refused_there()
    {
        await Setup.AssertRefusedAsync(await GetAsync(Setup.Client, "/admin/v1/keys"), 403, "insufficient_permissions");
        await Setup.AssertRefusedAsync(
            await RawReply.PostAsync(Setup.Client, "/admin/v1/keys", """{"workspace":"default","name":"mine"}""", Cancel),
            403, "insufficient_permissions");
    }

    [Fact]
    public async Task A_refusal_for_the_key_comes_before_one_for_the_body()
    {
        using var client = Setup.Gateway.Client(Unknown);

        await Setup.AssertRefusedAsync(
            await RawReply.PostAsync(client, "/v1/chat/completions", "{", Cancel), 401, "invalid_api_key");
    }

    [Fact]
    public async Task What_a_key_may_not_use_looks_like_what_does_not_exist()
    {
        using var narrow = Setup.Gateway.Client(
            (await Setup.Gateway.CreateKeyAsync(selectors: ["model/name=vendor/*", "bot/id=helper"], cancel: Cancel)).Text);
        string[] refused = ["model/name=plain", "bot/id=mute", "model/name=of-other", "bot/id=theirs", "model/name=never-there", "bot/id=never-there"];

        var answers = new HashSet<string>();
        foreach (var selector in refused)
        {
            var reply = await RawReply.PostAsync(narrow, "/v1/chat/completions", Body(selector), Cancel);
            await Setup.AssertRefusedAsync(reply, 404, "model_not_found", "model");
            answers.Add(reply.Text.Replace(selector, "S", StringComparison.Ordinal));
            var one = await GetAsync(narrow, $"/v1/models/{selector}");
            await Setup.AssertRefusedAsync(one, 404, "model_not_found", "model");
            answers.Add(one.Text.Replace(selector, "S", StringComparison.Ordinal));
        }

        Assert.Single(answers);
        Upstream.Answers(Answer.Json(Replies.Completion("m", "Yes.")));
        Assert.Equal(200, (await RawReply.PostAsync(narrow, "/v1/chat/completions", Body("model/name=vendor/with/slashes"), Cancel)).Status);
        Assert.Equal(200, (await RawReply.PostAsync(narrow, "/v1/chat/completions", Body("model/id=vendor%2Fwith%2Fslashes"), Cancel)).Status);
    }

    [Fact]
    public async Task The_callers_key_never_reaches_the_upstream()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(Good, Encoding.UTF8, "application/json"),
            Headers = { { "Cookie", "session=of-the-caller" }, { "OpenAI-Organization", "org-of-the-caller" } },
        };

        Assert.Equal(200, (await RawReply.ReadAsync(Setup.Client, request, Cancel)).Status);

        var headers = Upstream.Requests[0].Headers;
        Assert.Equal($"Bearer {ScriptedGateway.ProviderKey}", headers["Authorization"]);
        Assert.Equal("yes", headers["x-of-the-operator"]);
        Assert.DoesNotContain(headers, header => header.Value.Contains(Setup.Key, StringComparison.Ordinal));
        Assert.DoesNotContain(headers.Keys, name => name.Equals("Cookie", StringComparison.OrdinalIgnoreCase) || name.StartsWith("OpenAI-", StringComparison.OrdinalIgnoreCase));
    }

    private static string Body(string selector) => Good.Replace("model/name=plain", selector, StringComparison.Ordinal);

    private Task<RawReply> SendAsync(string head) => RawConnection.SendAsync(Setup.Gateway.BaseUrl, head, [], Cancel);

    private static async Task<RawReply> GetAsync(HttpClient client, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await RawReply.ReadAsync(client, request, Cancel);
    }
}
