using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using Gateway.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary><c>deploy/examples/chatkit-server</c>, as it stands there, in its own process.</summary>
public sealed class ExampleTests(ChatKitSchema schema) : ServerTest(schema), IAsyncLifetime
{
    private const string Listening = "Now listening on: ";

    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _client = new();
    private ChildProcess? _example;

    public ValueTask InitializeAsync()
    {
        var folder = Repository.PathOf("deploy", "examples", "chatkit-server", "bin", Repository.Configuration, "net10.0");
        _example = ChildProcess.Start(
            "dotnet",
            [Path.Combine(folder, "chatkit-server.dll"), "--urls", "http://127.0.0.1:0"],
            workingDirectory: folder,
            onLine: line =>
            {
                if (line.IndexOf(Listening, StringComparison.Ordinal) is var at and >= 0)
                {
                    _address.TrySetResult(new Uri(line[(at + Listening.Length)..]));
                }
            });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _example!.DisposeAsync();
    }

    [Fact]
    public async Task It_replies_shows_a_form_takes_its_action_and_calls_a_tool_of_the_page()
    {
        var reply = await AskAsync(Ask.Create("Good morning"));
        var thread = (string)reply[0]["thread"]!["id"]!;
        var form = await AskAsync(Ask.Add(thread, "I want to order."));
        var widget = form[^1]["item"]!;
        var action = await AskAsync(Ask.Action(thread, (string)widget["id"]!, "order", new JsonObject { ["name"] = "Emma" }));
        var wrong = await AskAsync(Ask.Action(thread, (string)widget["id"]!, "order", new JsonObject { ["name"] = null }));
        var call = await AskAsync(Ask.Add(thread, "What is selected?"));
        var answer = await AskAsync(Ask.Output(thread, new JsonObject { ["nodes"] = new JsonArray(1, 2) }));

        Assert.Equal("You said: Good morning ", TextOf(reply));
        Assert.Equal("Good morning", (string?)reply.Last(next => (string?)next["type"] == "thread.updated")["thread"]!["title"]);
        Assert.Equal("Input", (string?)widget["widget"]!["children"]![1]!["type"]);
        Assert.Equal("Ordered for Emma.", (string?)action.Single(next => (string?)next["type"] == "thread.item.replaced")["item"]!["widget"]!["children"]![0]!["value"]);
        Assert.Equal("Thank you, Emma. ", TextOf(action));
        AssertJson("""{"type":"error","code":"custom","message":"Whose order is it?","allow_retry":false}""", wrong[^1]);
        Assert.Equal("get_selection", (string?)call[^1]["item"]!["name"]);
        Assert.Equal("""Selected: {"nodes":[1,2]} """, TextOf(answer));
    }

    private static string TextOf(IEnumerable<JsonObject> events) =>
        (string)events.Last(next => (string?)next["item"]?["type"] == "assistant_message")["item"]!["content"]![0]!["text"]!;

    private async Task<IReadOnlyList<JsonObject>> AskAsync(JsonObject request)
    {
        var body = new ByteArrayContent(await BodyOfAsync(request));
        body.Headers.ContentType = new("application/json");
        var address = await _address.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancel);
        using var response = await _client.PostAsync(new Uri(address, "/chatkit"), body, Cancel);
        var stream = await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode} {Encoding.UTF8.GetString(stream)}\n{_example!.LastWords}");
        return await EventsOfAsync(stream);
    }
}
