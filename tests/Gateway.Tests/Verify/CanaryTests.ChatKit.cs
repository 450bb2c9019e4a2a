using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Verify;

/// <summary>The ChatKit door: threads, files, client secrets and signed links.</summary>
public sealed partial class CanaryTests
{
    /// <summary>Signatures of links, each good for ten minutes for who has it.</summary>
    private readonly List<string> _links = [];

    /// <summary>Of a session that goes on when the database does not.</summary>
    private string _clientSecret = "";

    /// <summary>A thread with every bot, one of them with files; and all that a page may do wrong.</summary>
    private async Task ChatEverywhereAsync(GatewayProcess gateway, string key)
    {
        var secrets = new Dictionary<string, string>();
        using (var server = gateway.Client(key))
        {
            foreach (var model in TattlingUpstream.Models)
            {
                var made = await RawReply.PostAsync(
                    server, "/v1/chatkit/sessions",
                    $$"""
                    { "user": "ada", "workflow": { "id": "bot/id={{model}}", "state_variables": { "plan": "{{Canaries.Prompt}}" } },
                      "rate_limits": { "max_requests_per_1_minute": 1000 }, "chatkit_configuration": { "file_upload": { "enabled": true } } }
                    """,
                    Cancel);
                Assert.True(made.Status == 200, made.Text);
                secrets[model] = (string)JsonNode.Parse(made.Text)!["client_secret"]!;
            }
        }

        // What a page may read of operators' secrets: none. Its own secret and links are its own.
        string[] operators = [.. _secrets];
        await Task.WhenAll(secrets.Select(async session =>
        {
            using var page = gateway.Client(session.Value);
            var reply = await ChatAsync(page, "threads.create", new JsonObject { ["input"] = Said() });
            Look($"a chat with {session.Key}", Text(reply), operators);
        }));
        _clientSecret = secrets["ok"];
        await ChatWithFilesAsync(gateway, secrets["ok"], operators);
        _secrets.AddRange(secrets.Values);
        await RefusePagesAsync(gateway, secrets["ok"]);
    }

    private async Task ChatWithFilesAsync(GatewayProcess gateway, string secret, string[] operators)
    {
        using var page = gateway.Client(secret);
        var contents = Encoding.UTF8.GetBytes(Canaries.FileContents);
        var announced = JsonNode.Parse((await ChatAsync(
            page, "attachments.create", new JsonObject { ["name"] = "a.txt", ["size"] = contents.Length, ["mime_type"] = "text/plain" })).Text)!;
        var link = new Uri((string)announced["upload_descriptor"]!["url"]!);
        _links.Add(link.Query.Split("signature=")[1]);
        using var tooLong = await page.PutAsync(link, new ByteArrayContent([.. contents, .. contents]), Cancel);
        Look("refusal of a file", await tooLong.Content.ReadAsStringAsync(Cancel));
        using var put = await page.PutAsync(link, new ByteArrayContent(contents), Cancel);
        Assert.Equal(200, (int)put.StatusCode);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(contents), "file", "b.txt" } };
        using var direct = await page.PostAsync("/v1/chatkit/attachments", form, Cancel);
        var uploaded = JsonNode.Parse(await direct.Content.ReadAsStringAsync(Cancel))!;

        var message = Said();
        message["attachments"] = new JsonArray((string)announced["id"]!, (string)uploaded["id"]!);
        var reply = await ChatAsync(page, "threads.create", new JsonObject { ["input"] = message });
        Look("a chat with files", Text(reply), operators);
        var events = reply.Text.Split("\n\n")[..^1].Select(block => JsonNode.Parse(block["data: ".Length..])!).ToList();
        var (thread, item) = ((string)events[0]["thread"]!["id"]!, (string)events[1]["item"]!["id"]!);
        foreach (var (type, more) in new (string, JsonObject)[]
            {
                ("threads.retry_after_item", new() { ["item_id"] = item }), ("items.list", []), ("threads.get_by_id", []),
                ("threads.update", new() { ["title"] = Canaries.Prompt }), ("items.feedback", new() { ["item_ids"] = new JsonArray(item), ["kind"] = "positive" }),
            })
        {
            more["thread_id"] = thread;
            Assert.Equal(200, (await ChatAsync(page, type, more)).Status);
        }
    }

    /// <summary>What the door refuses: never with the words that were said, nor with a secret.</summary>
    private async Task RefusePagesAsync(GatewayProcess gateway, string secret)
    {
        using var page = gateway.Client(secret);
        string[] bodies =
        [
            """{"type":"PROMPT","params":{}}""", """{"type":"threads.create","params":{"input":"PROMPT"}}""", "PROMPT", """{"type":"threads.create" PROMPT""",
            """{"type":"threads.create","params":{"input":{"content":["PROMPT"],"attachments":[],"inference_options":{}}}}""",
            """{"type":"threads.create","params":{"input":{"content":[{"type":"PROMPT","text":"x"}],"attachments":[],"inference_options":{}}}}""",
            """{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":{"PROMPT":1}}],"attachments":[],"inference_options":{}}}}""",
            """{"type":"threads.add_client_tool_output","params":{"thread_id":"none","result":"RESULT"}}""",
            """{"type":"items.list","params":{"thread_id":"none","order":"PROMPT"}}""",
            """{"type":"input.transcribe","params":{"audio_base64":"PROMPT!","mime_type":"PROMPT"}}""",
        ];
        foreach (var body in bodies)
        {
            var sent = body.Replace("PROMPT", Canaries.Prompt, StringComparison.Ordinal).Replace("RESULT", Canaries.ToolResult, StringComparison.Ordinal);
            var reply = await RawReply.PostAsync(page, "/chatkit", sent, Cancel);
            Assert.True(reply.Status is (>= 400 and < 500) or 501, $"{sent}: {reply.Status} {reply.Text}");
            _bodies++;
            Look($"refusal of {sent} at /chatkit", Text(reply));
        }

        // As a key, with something wrong in it, and in the wrong place.
        _secrets.Add(secret[..^3] + "zzz");
        foreach (var (path, credential) in new[] { ("/v1/chat/completions", secret), ("/chatkit", _secrets[^1]), ($"/chatkit?secret={secret}", "none") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, gateway.BaseUrl + path) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
            var reply = await RawReply.ReadAsync(page, request, Cancel);
            Assert.Equal(401, reply.Status);
            Look("refusal of a client secret", Text(reply));
        }
    }

    private async Task ChatWithoutDatabaseAsync(GatewayProcess gateway)
    {
        using var page = gateway.Client(_clientSecret);
        var reply = await ChatAsync(page, "threads.create", new JsonObject { ["input"] = Said() });
        Assert.Equal(503, reply.Status);
        Look("a chat without the database", Text(reply));
    }

    private static JsonObject Said() => new()
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "input_text", ["text"] = Canaries.Prompt }),
        ["attachments"] = new JsonArray(),
        ["quoted_text"] = Canaries.Prompt,
        ["inference_options"] = new JsonObject(),
    };

    private static Task<RawReply> ChatAsync(HttpClient page, string type, JsonObject parameters) =>
        RawReply.PostAsync(page, "/chatkit", new JsonObject { ["type"] = type, ["params"] = parameters }.ToJsonString(), Cancel);
}
