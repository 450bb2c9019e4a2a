using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Server;

/// <summary>Actions, with and without a stream.</summary>
public sealed class ActionTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task S16_an_action_reaches_the_handler_with_its_sender_as_stored()
    {
        await WithWidgetAsync();
        (WidgetAction Action, WidgetItem? Sender)? seen = null;
        Server.OnAction = (_, action, sender) =>
        {
            seen = (action, sender);
            return Script.Of(Make.Updated(sender!.Id, new WidgetRootUpdated { Widget = Make.Card("saved") }));
        };

        var events = await StreamAsync(Ask.Action("thr_1", "msg_w", "save", new JsonObject { ["name"] = "Emma" }));

        Assert.Equal(["stream_options", "thread.item.updated"], TypesOf(events));
        Assert.Equal("widget.root.updated", (string?)events[1]["update"]!["type"]);
        Assert.Equal("save", seen!.Value.Action.Type);
        AssertJson("""{"name":"Emma"}""", seen.Value.Action.Payload);
        AssertSame(Make.Card("form"), seen.Value.Sender!.Widget);
        var stored = Assert.IsType<WidgetItem>(await Store.LoadItemAsync("thr_1", "msg_w", Ann, Cancel));
        AssertSame(Make.Card("form"), stored.Widget);
    }

    [Fact]
    public async Task S21_an_action_without_a_stream_answers_with_the_new_widget()
    {
        await WithWidgetAsync();
        (WidgetAction Action, WidgetItem? Sender)? seen = null;
        Server.OnSyncAction = (action, sender, _) =>
        {
            seen = (action, sender);
            return new SyncActionResult { UpdatedItem = sender! with { Widget = Make.Card("saved") } };
        };

        var answer = await AnswerAsync("ThreadsSyncCustomActionRes", Ask.Action("thr_1", "msg_w", "save", 7, sync: true));

        Assert.Equal("saved", (string?)answer["updated_item"]!["widget"]!["children"]![0]!["value"]);
        Assert.Equal(("save", 7), (seen!.Value.Action.Type, (int)seen.Value.Action.Payload!));
        Assert.Equal("msg_w", seen.Value.Sender!.Id);
    }

    [Fact]
    public async Task An_action_of_the_page_has_no_sender()
    {
        await WithWidgetAsync();
        var senders = new List<WidgetItem?>();
        Server.OnAction = (_, _, sender) =>
        {
            senders.Add(sender);
            return Script.Of();
        };

        Assert.Equal(["stream_options"], TypesOf(await StreamAsync(Ask.Action("thr_1", itemId: null))));
        Assert.Equal([null], senders);
    }

    /// <summary>As the reference does, a stream of one error; an action without a stream is refused with a status.</summary>
    [Fact]
    public async Task An_action_of_an_item_that_is_no_widget_is_an_error_without_retry()
    {
        await BegunAsync();
        Server.OnAction = (_, _, _) => Script.Of();

        var events = await StreamAsync(Ask.Action("thr_1", "msg_r"));
        var refusal = await Assert.ThrowsAsync<InvalidRequestException>(() => ProcessAsync(Ask.Action("thr_1", "msg_r", sync: true)));

        AssertJson("""{"type":"error","code":"stream.error","allow_retry":false}""", Assert.Single(events));
        Assert.Equal("params.item_id", refusal.Path);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_without_actions_says_so_before_any_stream(bool sync)
    {
        await WithWidgetAsync();

        var refusal = await RefusalAsync(Ask.Action("thr_1", "msg_w", sync: sync));

        Assert.Equal((501, "not_supported"), (refusal.Status, refusal.Code));
        await StreamAsync(Ask.Add("thr_1"));
    }

    [Fact]
    public async Task An_action_without_a_stream_goes_on_while_a_reply_streams_and_may_change_the_thread()
    {
        await WithWidgetAsync();
        Server.OnRespond = (thread, _, cancel) => Script.ThenWait([Make.Added(Make.Reply(thread, "msg_2"))], cancel);
        Server.OnSyncAction = (_, _, thread) =>
        {
            thread.Title = "Set by an action";
            return new SyncActionResult();
        };
        await using var stream = ((StreamingResult)await ProcessAsync(Ask.Add("thr_1"))).GetAsyncEnumerator(Cancel);
        await NextAsync(stream, "thread.item.added");

        AssertJson("{}", await AnswerAsync("ThreadsSyncCustomActionRes", Ask.Action("thr_1", "msg_w", sync: true)));

        Assert.Equal("Set by an action", (await Store.LoadThreadAsync("thr_1", Ann, Cancel)).Title);
    }

    [Fact]
    public async Task A_hidden_item_does_not_leave_as_the_result_of_an_action()
    {
        await WithWidgetAsync();
        Server.OnSyncAction = (_, _, thread) => new SyncActionResult { UpdatedItem = Make.Hidden(thread, "msg_h") };

        AssertJson("{}", await AnswerAsync("ThreadsSyncCustomActionRes", Ask.Action("thr_1", "msg_w", sync: true)));
    }

    [Fact]
    public async Task Nulls_are_stripped_from_widgets_and_kept_in_payloads()
    {
        await WithWidgetAsync();
        JsonNode? payload = null;
        Server.OnAction = (thread, action, _) =>
        {
            payload = action.Payload;
            return Script.Of(Make.Done(Make.Widget(thread, "msg_n", new DynamicWidgetRoot(new JsonObject
            {
                ["type"] = "Card",
                ["size"] = null,
                ["children"] = new JsonArray(
                    new JsonObject
                    {
                        ["type"] = "Button",
                        ["label"] = "Save",
                        ["onClickAction"] = new JsonObject { ["type"] = "save", ["payload"] = new JsonObject { ["a"] = null, ["b"] = 1 } },
                    },
                    null),
            }))));
        };

        var events = await StreamAsync(Ask.Action("thr_1", "msg_w", "save", new JsonObject { ["a"] = null }));

        AssertJson("""{"a":null}""", payload);
        AssertJson(
            """{"type":"Card","children":[{"type":"Button","label":"Save","onClickAction":{"type":"save","payload":{"b":1}}}]}""",
            events[1]["item"]!["widget"]);
    }

    private Task<ChatThread> WithWidgetAsync() => BegunAsync(thread => [Make.Widget(thread, "msg_w", Make.Card("form"))]);
}
