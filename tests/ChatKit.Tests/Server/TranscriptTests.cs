using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;
using Gateway.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>
/// Whole streams, byte for byte, against the files in <c>Transcripts</c>: <c>&gt;</c> is a request, then comes the body of its
/// answer; <c>!</c> is a refusal, <c>=</c> an item as the store has it in the end.
/// </summary>
public sealed class TranscriptTests(ChatKitSchema schema) : ServerTest(schema)
{
    private readonly StringBuilder _record = new();

    [Fact]
    public async Task A_plain_reply()
    {
        Server.OnRespond = (thread, _, _) => Streamed(thread, "msg_r", "Jane ", "Austen.");

        await ExchangeAsync(Ask.Create());

        await AssertIsAsync("plain-reply");
    }

    [Fact]
    public async Task A_reply_with_citations()
    {
        var citation = Make.Citation("https://example.com/emma", 12);
        Server.OnRespond = (thread, _, _) => Script.Of(
            Make.Added(Make.Reply(thread, "msg_r")),
            Make.PartAdded("msg_r"),
            Make.Delta("msg_r", "Jane Austen."),
            Make.Updated("msg_r", new ContentPartAnnotationAdded { ContentIndex = 0, AnnotationIndex = 0, Annotation = citation }),
            Make.Updated("msg_r", new ContentPartDone { ContentIndex = 0, Content = new() { Text = "Jane Austen.", Annotations = [citation] } }),
            Make.Done(Make.Reply(thread, "msg_r") with { Content = [new() { Text = "Jane Austen.", Annotations = [citation] }] }));

        await ExchangeAsync(Ask.Create());

        await AssertIsAsync("citations");
    }

    [Fact]
    public async Task A_workflow_before_a_reply()
    {
        Server.OnRespond = (thread, _, _) =>
        {
            var begun = new ThoughtTask { Content = "The user" };
            var whole = new ThoughtTask { Content = "The user asks for an author." };
            var workflow = Make.Workflow(thread, "wf_1", []) with { Workflow = new() { Type = WorkflowType.Reasoning, Tasks = [] } };
            var search = new SearchTask { Title = "Search", Queries = ["author of Emma"], StatusIndicator = StatusIndicator.Loading };
            return Script.Of(
                new ProgressUpdateEvent { Icon = "search", Text = "Looking it up" },
                Make.Added(workflow),
                Make.Updated("wf_1", new WorkflowTaskAdded { TaskIndex = 0, Task = begun }),
                Make.Updated("wf_1", new WorkflowTaskUpdated { TaskIndex = 0, Task = whole }),
                Make.Updated("wf_1", new WorkflowTaskAdded { TaskIndex = 1, Task = search }),
                Make.Done(workflow with { Workflow = workflow.Workflow with { Tasks = [whole, search with { StatusIndicator = StatusIndicator.Complete }], Summary = new DurationSummary { Duration = 1 } } }),
                Make.Done(Make.Reply(thread, "msg_r", "Jane Austen.")));
        };

        await ExchangeAsync(Ask.Create());

        await AssertIsAsync("workflow");
    }

    [Fact]
    public async Task A_widget_from_its_first_word_to_done()
    {
        Server.OnRespond = (thread, _, cancel) => Server.StreamItems(
            thread,
            Ann,
            (items, stop) => items.StreamWidgetAsync(
                new Markdown(string.Empty) { Id = "answer" }.AccumulateAsync(Words(), stop).Select(WidgetRoot (text) => new Card { Children = [text] }), "Jane Austen."),
            cancel);

        await ExchangeAsync(Ask.Create());

        await AssertIsAsync("widget");

        static async IAsyncEnumerable<string> Words()
        {
            yield return "Jane ";
            await Task.Yield();
            yield return "Austen.";
        }
    }

    [Fact]
    public async Task The_action_of_a_form()
    {
        var form = new Card
        {
            AsForm = true,
            Children = [new Text("Your name?") { Id = "text" }, new Input("name") { Required = true }],
            Confirm = new CardAction("Register", new ActionConfig("register")),
        };
        Server.OnRespond = (thread, _, _) => Script.Of(Make.Done(Make.Widget(thread, "msg_w", form)));
        Server.OnAction = (thread, action, sender) => Script.Of(
            new ThreadItemReplacedEvent { Item = sender! with { Widget = Make.Card("Thank you.") } },
            Make.Done(Make.Hidden(thread, "msg_h", $"The form was sent: {action.Payload!["name"]}")),
            new ClientEffectEvent { Name = "confetti", Data = new JsonObject { ["pieces"] = null } },
            new NoticeEvent { Level = NoticeLevel.Info, Message = "Saved." },
            Make.Done(Make.Reply(thread, "msg_r", $"Hello, {action.Payload!["name"]}.")));

        await ExchangeAsync(Ask.Create("Register me."));
        await ExchangeAsync(Ask.Action("thr_1", "msg_w", "register", new JsonObject { ["name"] = "Emma" }));

        await AssertIsAsync("form-action");
    }

    [Fact]
    public async Task The_round_trip_of_a_client_tool()
    {
        Server.OnRespond = (thread, message, _) => message is null
            ? Streamed(thread, "msg_r", "Two nodes ", "are selected.")
            : Script.Of(Make.Done(Make.ToolCall(thread, "tc_1")), Make.Done(Make.Hidden(thread, "msg_h", "The selection was asked for.")));

        await ExchangeAsync(Ask.Create("What is selected?"));
        await ExchangeAsync(Ask.Output("thr_1", new JsonObject { ["nodes"] = new JsonArray(1, 2) }));

        await AssertIsAsync("client-tool");
    }

    [Fact]
    public async Task A_retry()
    {
        var replies = new Queue<string>(["Charlotte Brontë.", "Jane Austen."]);
        Server.OnRespond = (thread, _, _) => Script.Of(Make.Done(Make.Reply(thread, $"msg_r{replies.Count}", replies.Dequeue())));

        await ExchangeAsync(Ask.Create());
        await ExchangeAsync(Ask.Retry("thr_1", "msg_1"));

        await AssertIsAsync("retry");
    }

    [Fact]
    public async Task A_cancelled_reply()
    {
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait(
            [
                Make.Added(Make.Workflow(thread, "wf_1", [])),
                Make.Added(Make.Reply(thread, "msg_r")),
                Make.PartAdded("msg_r"),
                Make.Delta("msg_r", "Jane "),
                Make.Delta("msg_r", "Aus"),
            ],
            cancel);
        using var left = new CancellationTokenSource();
        var request = Ask.Create();
        _record.Append($"> {request.ToJsonString()}\n\n");
        await using (var stream = ((StreamingResult)await ProcessAsync(request, cancel: left.Token)).GetAsyncEnumerator(Cancel))
        {
            for (var read = 0; read < 8; read++)
            {
                await stream.MoveNextAsync();
                await EventsOfAsync(stream.Current);
                _record.Append(Encoding.UTF8.GetString(stream.Current.Span));
            }

            var next = stream.MoveNextAsync();
            await left.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        }

        await AssertIsAsync("cancelled-reply");
    }

    [Fact]
    public async Task An_error_in_each_phase()
    {
        // Before the stream.
        await RefusedAsync(Ask.Add("thr_never"));
        await ExchangeAsync(Ask.Create());

        // Before the first event, between events, in the midst of a message, with words for the user.
        Server.OnRespond = (_, _, _) => throw new InvalidOperationException("secret-note");
        await ExchangeAsync(Ask.Add("thr_1"));
        Server.OnRespond = (_, _, _) => Script.ThenThrow(new InvalidOperationException("secret-note"), new ProgressUpdateEvent { Text = "Looking it up" });
        await ExchangeAsync(Ask.Add("thr_1"));
        Server.OnRespond = (thread, _, _) => Script.ThenThrow(new StreamErrorException(), Make.Added(Make.Reply(thread, "msg_a")), Make.Delta("msg_a", "Jane"));
        await ExchangeAsync(Ask.Add("thr_1"));
        Server.OnRespond = (thread, _, _) =>
        {
            thread.Title = "Changed before the error";
            return Script.ThenThrow(new CustomStreamException("Come back tomorrow."), Make.Done(Make.Reply(thread, "msg_b", "Jane")));
        };
        await ExchangeAsync(Ask.Add("thr_1"));

        await AssertIsAsync("errors");
    }

    private static IAsyncEnumerable<StreamEvent> Streamed(ChatThread thread, string id, params string[] pieces) => Script.Of(
    [
        Make.Added(Make.Reply(thread, id)),
        Make.PartAdded(id),
        .. pieces.Select(piece => Make.Delta(id, piece)),
        Make.Updated(id, new ContentPartDone { ContentIndex = 0, Content = new() { Text = string.Concat(pieces) } }),
        Make.Done(Make.Reply(thread, id, string.Concat(pieces))),
    ]);

    private async Task ExchangeAsync(JsonObject request) =>
        _record.Append($"> {request.ToJsonString()}\n\n{await TranscriptAsync(request)}");

    private async Task RefusedAsync(JsonObject request)
    {
        var refusal = await RefusalAsync(request);
        _record.Append($"> {request.ToJsonString()}\n\n! {refusal.Status} {refusal.Code} {refusal.Message}\n\n");
    }

    private async Task AssertIsAsync(string name)
    {
        foreach (var item in await StoredAsync("thr_1"))
        {
            _record.Append($"= {Encoding.UTF8.GetString(ChatKitJson.ToStore(item))}\n");
        }

        var path = Repository.PathOf("tests", "ChatKit.Tests", "Server", "Transcripts", $"{name}.txt");
        var expected = File.Exists(path) ? await File.ReadAllTextAsync(path, Cancel) : null;
        if (expected != _record.ToString())
        {
            Assert.Fail($"Expected in {path}:\n{expected}\nActual:\n{_record}");
        }
    }
}
