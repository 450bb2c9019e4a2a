using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Server;

/// <summary>
/// Asks a scripted server as an endpoint does. Every request, event and answer is validated against the schema; streams
/// must be framed as the protocol says.
/// </summary>
public abstract class ServerTest
{
    protected static readonly Caller Ann = new("ann");
    protected static readonly Caller Bob = new("bob");

    private readonly ChatKitSchema _schema;

    protected ServerTest(ChatKitSchema schema)
    {
        _schema = schema;
        Server = NewServer();
    }

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected TestClock Clock { get; } = new();

    protected NumberedStore Store { get; } = new();

    protected ScriptedServer Server { get; set; }

    protected ScriptedServer NewServer(
        AttachmentStore<Caller>? attachments = null, Func<ChatKitServerOptions, ChatKitServerOptions>? change = null) =>
        new(Store, attachments, (change ?? (same => same))(new ChatKitServerOptions { Clock = Clock, BusyThreadPatience = TimeSpan.Zero }));

    /// <summary>The answer to a request; the request must follow the schema.</summary>
    protected async Task<ChatKitResult> ProcessAsync(JsonObject request, Caller? caller = null, CancellationToken? cancel = null)
    {
        return await Server.ProcessAsync(await BodyOfAsync(request), caller ?? Ann, cancel ?? Cancel);
    }

    /// <summary>The bytes of a request, which must follow the schema.</summary>
    protected async Task<byte[]> BodyOfAsync(JsonObject request)
    {
        var body = Encoding.UTF8.GetBytes(request.ToJsonString());
        await _schema.AssertValidAsync("Request", body, Cancel);
        return body;
    }

    /// <summary>The events of a whole stream.</summary>
    protected async Task<IReadOnlyList<JsonObject>> StreamAsync(JsonObject request, Caller? caller = null) =>
        await EventsOfAsync(await BytesAsync(request, caller));

    /// <summary>The bytes of a whole stream.</summary>
    protected async Task<string> TranscriptAsync(JsonObject request)
    {
        var bytes = await BytesAsync(request, null);
        await EventsOfAsync(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The document that answers a request, following the given definition.</summary>
    protected async Task<JsonObject> AnswerAsync(string definition, JsonObject request, Caller? caller = null)
    {
        var result = Assert.IsType<JsonResult>(await ProcessAsync(request, caller));
        await _schema.AssertValidAsync(definition, result.Json, Cancel);
        return JsonNode.Parse(result.Json.Span)!.AsObject();
    }

    /// <summary>The refusal of a request, before any stream.</summary>
    protected async Task<RequestRefusedException> RefusalAsync(JsonObject request, Caller? caller = null) =>
        await Assert.ThrowsAnyAsync<RequestRefusedException>(() => ProcessAsync(request, caller));

    /// <summary>Reads one event of a stream that a test reads by hand.</summary>
    protected async Task<JsonObject> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> stream)
    {
        Assert.True(await stream.MoveNextAsync(), "The stream has ended.");
        return Assert.Single(await EventsOfAsync(stream.Current));
    }

    /// <summary>Reads events up to the first of a type.</summary>
    protected async Task<JsonObject> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> stream, string type)
    {
        while (await NextAsync(stream) is var next)
        {
            if ((string?)next["type"] == type)
            {
                return next;
            }
        }

        throw new InvalidOperationException();
    }

    /// <summary>Takes the framing apart strictly, and validates each event.</summary>
    protected async Task<IReadOnlyList<JsonObject>> EventsOfAsync(ReadOnlyMemory<byte> stream)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(stream.Span);
        Assert.True(text.Length == 0 || text.EndsWith("\n\n", StringComparison.Ordinal), "The stream does not end with an empty line.");
        var events = new List<JsonObject>();
        foreach (var block in text.Split("\n\n", StringSplitOptions.None)[..^1])
        {
            Assert.StartsWith("data: ", block, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', block);
            Assert.DoesNotContain('\r', block);
            var json = block["data: ".Length..];
            await _schema.AssertValidAsync("StreamEvent", Encoding.UTF8.GetBytes(json), Cancel);
            events.Add(JsonNode.Parse(json)!.AsObject());
        }

        return events;
    }

    protected static string[] TypesOf(IEnumerable<JsonObject> events) => [.. events.Select(e => (string)e["type"]!)];

    /// <summary>All items of a thread as the store has them, oldest first.</summary>
    protected async Task<List<ThreadItem>> StoredAsync(string threadId, Caller? caller = null) =>
        await Server.LoadAllItemsAsync(threadId, SortOrder.Asc, caller ?? Ann, Cancel).ToListAsync(Cancel);

    /// <summary>A thread with one exchange: <c>thr_1</c>, the user's <c>msg_1</c> and the given items.</summary>
    protected async Task<ChatThread> BegunAsync(Func<ChatThread, ThreadItem[]>? reply = null)
    {
        Server.OnRespond = (thread, _, _) => Script.Of([.. (reply?.Invoke(thread) ?? [Make.Reply(thread, "msg_r", "Jane Austen.")]).Select(Make.Done)]);
        var events = await StreamAsync(Ask.Create());
        return await Store.LoadThreadAsync((string)events[0]["thread"]!["id"]!, Ann, Cancel);
    }

    protected static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"Expected: {expected}\nActual:   {actual?.ToJsonString()}");

    /// <summary>Lists in widgets compare by reference, so their JSON is compared.</summary>
    protected static void AssertSame(WidgetRoot expected, WidgetRoot actual) =>
        Assert.Equal(JsonNode.Parse(ChatKitJson.ToWire(expected))!.ToJsonString(), JsonNode.Parse(ChatKitJson.ToWire(actual))!.ToJsonString());

    private async Task<byte[]> BytesAsync(JsonObject request, Caller? caller)
    {
        await using var stream = Assert.IsType<StreamingResult>(await ProcessAsync(request, caller));
        var bytes = new MemoryStream();
        await foreach (var part in stream.WithCancellation(Cancel))
        {
            await bytes.WriteAsync(part, Cancel);
        }

        return bytes.ToArray();
    }
}
