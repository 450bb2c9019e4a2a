using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>What a page's script does: sends requests of the protocol and reads events. All of it is held to the schema.</summary>
public sealed class ChatPage : IDisposable
{
    /// <summary>Operations whose answer is a document, with its name in the schema.</summary>
    public static IReadOnlyDictionary<string, string> Replies { get; } = new Dictionary<string, string>
    {
        ["threads.get_by_id"] = "ThreadsGetByIdRes",
        ["threads.list"] = "ThreadsListRes",
        ["threads.update"] = "ThreadsUpdateRes",
        ["threads.delete"] = "ThreadsDeleteRes",
        ["items.list"] = "ItemsListRes",
        ["items.feedback"] = "ItemsFeedbackRes",
        ["attachments.create"] = "AttachmentsCreateRes",
        ["attachments.delete"] = "AttachmentsDeleteRes",
    };

    private readonly HttpClient _client;
    private readonly string _path;
    private readonly ChatKitContract _contract;

    private ChatPage(HttpClient client, string path, ChatKitContract contract) => (_client, _path, _contract) = (client, path, contract);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public HttpClient Client => _client;

    /// <summary>A page with a session that a server made for it.</summary>
    /// <param name="session">Members of the request for the session besides the user and the bot.</param>
    public static async Task<ChatPage> OpenAsync(
        GatewayProcess gateway, string key, ChatKitContract contract, string user = "ada", string bot = ChatKitSetup.Bot, string session = "{}")
    {
        var request = JsonNode.Parse(session)!.AsObject();
        request["user"] = user;
        request["workflow"] ??= new JsonObject();
        request["workflow"]!["id"] = bot;
        request["rate_limits"] ??= new JsonObject { ["max_requests_per_1_minute"] = 10_000 };
        using var server = gateway.Client(key);
        var made = await RawReply.PostAsync(server, "/v1/chatkit/sessions", request.ToJsonString(), Cancel);
        Assert.True(made.Status == 200, made.Text);
        return With(gateway.BaseUrl, (string)JsonNode.Parse(made.Text)!["client_secret"]!, contract);
    }

    public static ChatPage With(string baseUrl, string secret, ChatKitContract contract)
    {
        var client = new HttpClient { BaseAddress = new Uri(baseUrl), Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return new ChatPage(client, "/chatkit", contract);
    }

    /// <summary>A server that speaks for a user with its own key.</summary>
    public static ChatPage OfServer(GatewayProcess gateway, string key, string user, string bot, ChatKitContract contract)
    {
        var client = gateway.Client(key);
        client.DefaultRequestHeaders.Add("X-Gateway-User", user);
        return new ChatPage(client, $"/chatkit/{bot}", contract);
    }

    /// <summary>One request, whatever comes of it.</summary>
    public async Task<RawReply> PostAsync(string type, JsonObject parameters)
    {
        var request = Encoding.UTF8.GetBytes(new JsonObject { ["type"] = type, ["params"] = parameters.DeepClone() }.ToJsonString());
        await _contract.AssertValidAsync("Request", request, Cancel);
        return await RawReply.PostAsync(_client, _path, Encoding.UTF8.GetString(request), Cancel);
    }

    /// <summary>A request whose answer is a document.</summary>
    public async Task<JsonNode> AskAsync(string type, JsonObject parameters)
    {
        var reply = await PostAsync(type, parameters);
        Assert.True(reply.Status == 200, reply.Text);
        await _contract.AssertValidAsync(Replies[type], reply.Body, Cancel);
        return JsonNode.Parse(reply.Body)!;
    }

    /// <summary>A request whose answer is a stream that ends well.</summary>
    public async Task<IReadOnlyList<JsonNode>> StreamAsync(string type, JsonObject parameters)
    {
        var reply = await PostAsync(type, parameters);
        Assert.True(reply.Status == 200 && !reply.Broken, $"{reply.Status} {reply.Text}");
        Assert.StartsWith("text/event-stream", reply.ContentType, StringComparison.Ordinal);
        return await EventsAsync(reply.Text);
    }

    /// <summary>The events of a body, each held to the schema; the last may be cut.</summary>
    public async Task<IReadOnlyList<JsonNode>> EventsAsync(string body)
    {
        var events = new List<JsonNode>();
        foreach (var block in body.Split("\n\n")[..^1])
        {
            Assert.StartsWith("data: ", block, StringComparison.Ordinal);
            await _contract.AssertValidAsync("StreamEvent", Encoding.UTF8.GetBytes(block["data: ".Length..]), Cancel);
            events.Add(JsonNode.Parse(block["data: ".Length..])!);
        }

        return events;
    }

    /// <summary>A first message. The thread's id, and the stream.</summary>
    public async Task<(string Thread, IReadOnlyList<JsonNode> Events)> CreateAsync(string text, params string[] attachments)
    {
        var events = await StreamAsync("threads.create", new JsonObject { ["input"] = Message(text, attachments) });
        return ((string)events[0]["thread"]!["id"]!, events);
    }

    public Task<IReadOnlyList<JsonNode>> SayAsync(string thread, string text) =>
        StreamAsync("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = Message(text) });

    /// <summary>All items of a thread, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> ItemsAsync(string thread)
    {
        var items = new List<JsonNode>();
        string? after = null;
        do
        {
            var page = await AskAsync("items.list", new JsonObject { ["thread_id"] = thread, ["order"] = "asc", ["limit"] = 50, ["after"] = after });
            items.AddRange(page["data"]!.AsArray().Select(item => item!));
            after = (string?)page["after"];
        }
        while (after is not null);
        return items;
    }

    public static JsonObject Message(string text, params string[] attachments) => new()
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "input_text", ["text"] = text }),
        ["attachments"] = new JsonArray([.. attachments.Select(id => (JsonNode)id)]),
        ["inference_options"] = new JsonObject(),
    };

    /// <summary>The text of a stream's assistant messages, as they are done.</summary>
    public static string TextOf(IEnumerable<JsonNode> events) => string.Concat(
        events.Where(e => Type(e) == "thread.item.done" && (string?)e["item"]!["type"] == "assistant_message")
            .Select(e => (string)e["item"]!["content"]![0]!["text"]!));

    public static string Type(JsonNode node) => (string)node["type"]!;

    /// <summary>Events by type, with the kind of the item or update behind it.</summary>
    public static IReadOnlyList<string> Kinds(IEnumerable<JsonNode> events) =>
    [
        .. events.Select(e => (Type(e), (string?)e["item"]?["type"] ?? (string?)e["update"]?["type"]) switch
        {
            (var type, null) => type,
            var (type, below) => $"{type} {below}",
        }),
    ];

    public void Dispose() => _client.Dispose();
}
