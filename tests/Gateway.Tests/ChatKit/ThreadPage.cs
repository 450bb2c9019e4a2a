using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using ChatKit;
using ChatKit.Tests.Support;
using Gateway.ChatKit;
using Gateway.ChatKit.Threads;

namespace Gateway.Tests.ChatKit;

/// <summary>The library's server over the gateway's store, for tests of what a stream writes and when.</summary>
/// <param name="clock">The gateway's, by which items get their times.</param>
internal sealed class ThreadPage(ThreadStore store, TimeProvider clock)
    : ChatKitServer<ChatKitUser>(store, null, new ChatKitServerOptions { Clock = clock })
{
    /// <summary>Called when the question is stored and the answer has not begun.</summary>
    public Action AfterTheQuestion { get; set; } = () => { };

    /// <summary>Awaited when the answer has begun and is not done.</summary>
    public Func<ChatThread, Task> InTheMiddle { get; set; } = _ => Task.CompletedTask;

    public override async IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, ChatKitUser context, [EnumeratorCancellation] CancellationToken cancel)
    {
        AfterTheQuestion();
        var answer = Make.Reply(thread, ChatKitIds.NewItemId(ItemKind.Message), $"Re: {((UserTextContent)message!.Content[0]).Text}") with
        {
            CreatedAt = Options.Clock.GetUtcNow(),
        };
        yield return Make.Added(answer);
        await InTheMiddle(thread);
        yield return Make.Done(answer);
    }

    /// <summary>The events of a first message.</summary>
    public Task<IReadOnlyList<JsonNode>> CreateAsync(string text, ChatKitUser user) =>
        StreamAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message(text) }, user);

    /// <summary>The events of a further one.</summary>
    public Task<IReadOnlyList<JsonNode>> SayAsync(string thread, string text, ChatKitUser user) => StreamAsync(
        "threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message(text) }, user);

    public async Task<StreamingResult> BeginAsync(string type, JsonObject parameters, ChatKitUser user)
    {
        var request = new JsonObject { ["type"] = type, ["params"] = parameters };
        return (StreamingResult)await ProcessAsync(Encoding.UTF8.GetBytes(request.ToJsonString()), user, TestContext.Current.CancellationToken);
    }

    private async Task<IReadOnlyList<JsonNode>> StreamAsync(string type, JsonObject parameters, ChatKitUser user)
    {
        await using var stream = await BeginAsync(type, parameters, user);
        var events = new List<JsonNode>();
        await foreach (var sent in stream)
        {
            events.Add(JsonNode.Parse(sent.Span["data: ".Length..])!);
        }

        return events;
    }
}
