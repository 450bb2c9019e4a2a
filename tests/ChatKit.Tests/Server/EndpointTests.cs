using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>The endpoint, over sockets.</summary>
public sealed class EndpointTests(ChatKitSchema schema) : ServerTest(schema)
{
    public static TheoryData<string, string, int, string, string?> Refusals => new()
    {
        { "{}", "application/json", 400, "invalid_request", "type" },
        { "", "application/json", 400, "invalid_request", null },
        { "[]", "application/json", 400, "invalid_request", null },
        { "{\"type\":\"threads.never\",\"params\":{}}", "application/json", 400, "invalid_request", "type" },
        { "{\"type\":\"threads.get_by_id\",\"params\":{}}", "application/json", 400, "invalid_request", "params.thread_id" },
        { "{\"type\":\"threads.get_by_id\",\"params\":{\"thread_id\":\"thr_never\"}}", "application/json", 404, "not_found", null },
        { "{\"type\":\"attachments.delete\",\"params\":{\"attachment_id\":\"a\"}}", "application/json; charset=utf-8", 501, "not_supported", null },
        { "{}", "text/plain", 415, "unsupported_media_type", null },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_request_that_cannot_be_answered_gets_a_status_and_says_why(string body, string type, int status, string code, string? param)
    {
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);

        using var response = await app.PostAsync(Encoding.UTF8.GetBytes(body), Cancel, type);

        var error = await ErrorOfAsync(response);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, (string?)error["code"]);
        Assert.Equal(param, (string?)error["param"]);
        Assert.Equal(status < 500 ? "invalid_request_error" : "server_error", (string?)error["type"]);
        Assert.NotEmpty((string)error["message"]!);
    }

    [Fact]
    public async Task Only_POST_is_answered()
    {
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);

        using var response = await app.PostAsync(Array.Empty<byte>(), Cancel, method: HttpMethod.Put);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
        Assert.Equal("method_not_allowed", (string?)(await ErrorOfAsync(response))["code"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_is_too_large_is_refused(bool chunked)
    {
        await using var app = await ChatKitApp.StartAsync(_ => Server, new ChatKitEndpointOptions { MaxRequestBytes = 1_000 }, Cancel);
        var body = Encoding.UTF8.GetBytes(Ask.Create(new string('x', 50_000)).ToJsonString());

        using var response = await app.PostAsync(body, Cancel, chunked: chunked);

        Assert.Equal(413, (int)response.StatusCode);
        Assert.NotEmpty((string)(await ErrorOfAsync(response))["message"]!);
        using var fits = await app.PostAsync(Ask.Create().ToJsonString(), Cancel);
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
    }

    [Fact]
    public async Task What_the_context_refuses_is_not_answered()
    {
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);
        using var client = new HttpClient { BaseAddress = app.Address };

        using var response = await client.PostAsync("/chatkit", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);

        Assert.Equal(400, (int)(await app.PostAsync("{}", Cancel)).StatusCode);
        Assert.Equal(401, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_fault_is_a_500_that_shows_nothing()
    {
        await using var app = await ChatKitApp.StartAsync(_ => throw new InvalidOperationException("secret-note"), cancel: Cancel);

        using var response = await app.PostAsync(Ask.Threads().ToJsonString(), Cancel);

        var error = await ErrorOfAsync(response);
        Assert.Equal(500, (int)response.StatusCode);
        Assert.Equal("server_error", (string?)error["type"]);
        Assert.DoesNotContain("secret-note", error.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_is_JSON()
    {
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);

        using var response = await app.PostAsync(Ask.Threads().ToJsonString(), Cancel);

        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("""{"data":[],"has_more":false}""", await response.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_stream_has_its_headers_and_each_event_arrives_when_it_happens()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.OnRespond = (thread, _, _) => Waiting(thread, go.Task);
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);

        using var response = await app.PostAsync(Ask.Create().ToJsonString(), Cancel);
        await using var body = await response.Content.ReadAsStreamAsync(Cancel);
        var begun = await ReadUntilAsync(body, "Looking it up");
        go.SetResult();
        var rest = await ReadUntilAsync(body, null);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-cache", response.Headers.CacheControl!.ToString());
        Assert.Equal(["no"], response.Headers.GetValues("X-Accel-Buffering"));
        Assert.DoesNotContain("Jane Austen.", begun, StringComparison.Ordinal);
        Assert.Equal(
            ["thread.created", "thread.item.done", "stream_options", "progress_update", "thread.item.done"],
            TypesOf(await EventsOfAsync(Encoding.UTF8.GetBytes(begun + rest))));

        static async IAsyncEnumerable<StreamEvent> Waiting(ChatThread thread, Task go)
        {
            yield return new ProgressUpdateEvent { Text = "Looking it up" };
            await go;
            yield return Make.Done(Make.Reply(thread, "msg_r", "Jane Austen."));
        }
    }

    [Fact]
    public async Task A_stream_without_events_is_an_empty_body()
    {
        await BegunAsync();
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);

        using var response = await app.PostAsync(Ask.Retry("thr_1", "msg_never").ToJsonString(), Cancel);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task Closing_the_socket_stops_the_handler_and_saves_what_was_shown()
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.OnRespond = (thread, _, cancel) =>
        {
            cancel.Register(stopped.SetResult);
            return Script.ThenWait([Make.Added(Make.Reply(thread, "msg_r")), Make.Delta("msg_r", "Half of it")], cancel);
        };
        await using var app = await ChatKitApp.StartAsync(_ => Server, cancel: Cancel);
        var body = Ask.Create().ToJsonString();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, app.Address.Port, Cancel);
            var stream = socket.GetStream();
            await stream.WriteAsync(
                Encoding.UTF8.GetBytes($"POST /chatkit HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
                Cancel);
            await ReadUntilAsync(stream, "Half of it");
        }

        await stopped.Task.WaitAsync(Cancel);
        while ((await StoredAsync("thr_1")).Count < 3)
        {
            await Task.Delay(10, Cancel);
        }

        var items = await StoredAsync("thr_1");
        Assert.Equal(["msg_1", "msg_r", "shcx_1"], items.Select(item => item.Id));
        Assert.Equal("Half of it", ((AssistantMessageItem)items[1]).Content[0].Text);
    }

    private static async Task<JsonNode> ErrorOfAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancel))!["error"]!.AsObject();
        Assert.Equal(["message", "type", "param", "code"], error.Select(member => member.Key));
        return error;
    }

    /// <summary>Reads until a text has come, null: to the end.</summary>
    private static async Task<string> ReadUntilAsync(Stream stream, string? text)
    {
        var read = new StringBuilder();
        var buffer = new byte[4_096];
        while (text is null || !read.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, Cancel);
            if (count == 0)
            {
                Assert.True(text is null, $"'{text}' did not come: {read}");
                break;
            }

            read.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return read.ToString();
    }
}
