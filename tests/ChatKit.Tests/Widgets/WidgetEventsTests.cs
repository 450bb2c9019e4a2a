using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Widgets;

/// <summary>A widget from its first state to its last, as events.</summary>
public sealed class WidgetEventsTests(ChatKitSchema schema)
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 19, 10, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A1_A_widget_that_is_complete_is_one_event()
    {
        var item = new WidgetItem { Id = "msg_1", ThreadId = "thr_1", CreatedAt = Noon, Widget = new Card { Children = [] }, CopyText = "copy" };

        await AssertSentAsync(
            [WidgetEvents.Of(item)],
            """{"type":"thread.item.done","item":{"type":"widget","id":"msg_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","widget":{"type":"Card","children":[]},"copy_text":"copy"}}""");
    }

    [Fact]
    public async Task A1_A_text_that_grows_is_added_streamed_and_done() =>
        await AssertSentAsync(
            await EventsAsync(Shown("Hel"), Shown("Hello"), Shown("Hello"), Shown("Hello world")),
            """{"type":"thread.item.added","item":{"type":"widget","id":"msg_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","widget":{"type":"Card","children":[{"type":"Text","value":"Hel","id":"t"}]},"copy_text":"copy"}}""",
            """{"type":"thread.item.updated","item_id":"msg_1","update":{"type":"widget.streaming_text.value_delta","component_id":"t","delta":"lo","done":true}}""",
            """{"type":"thread.item.updated","item_id":"msg_1","update":{"type":"widget.streaming_text.value_delta","component_id":"t","delta":" world","done":true}}""",
            """{"type":"thread.item.done","item":{"type":"widget","id":"msg_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","widget":{"type":"Card","children":[{"type":"Text","value":"Hello world","id":"t"}]},"copy_text":"copy"}}""");

    [Fact]
    public async Task A1_A_text_that_changes_replaces_the_tree() =>
        await AssertSentAsync(
            await EventsAsync(Shown("Hello"), Shown("Bye")),
            """{"type":"thread.item.added","item":{"type":"widget","id":"msg_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","widget":{"type":"Card","children":[{"type":"Text","value":"Hello","id":"t"}]},"copy_text":"copy"}}""",
            """{"type":"thread.item.updated","item_id":"msg_1","update":{"type":"widget.root.updated","widget":{"type":"Card","children":[{"type":"Text","value":"Bye","id":"t"}]}}}""",
            """{"type":"thread.item.done","item":{"type":"widget","id":"msg_1","thread_id":"thr_1","created_at":"2026-05-19T10:00:00Z","widget":{"type":"Card","children":[{"type":"Text","value":"Bye","id":"t"}]},"copy_text":"copy"}}""");

    [Fact]
    public async Task A_widget_without_a_state_gives_no_event() => Assert.Empty(await EventsAsync());

    [Fact]
    public async Task A3_Deltas_of_a_model_become_states_of_a_text_and_the_last_one_no_longer_streams()
    {
        var text = new Text("") { Id = "t", Size = TextSize.Lg };
        var markdown = new Markdown("# ") { Id = "m" };

        var texts = await text.AccumulateAsync(Sequence("Hel", "lo, ", "world"), Cancel).ToListAsync(Cancel);
        var markdowns = await markdown.AccumulateAsync(Sequence("A"), Cancel).ToListAsync(Cancel);

        Assert.Equal(
            [("", true), ("Hel", true), ("Hello, ", true), ("Hello, world", true), ("Hello, world", false)],
            texts.Select(state => (state.Value, state.Streaming!.Value)));
        Assert.All(texts, state => Assert.Equal(("t", TextSize.Lg), (state.Id, state.Size)));
        Assert.Equal([("# ", true), ("# A", true), ("# A", false)], markdowns.Select(state => (state.Value, state.Streaming!.Value)));
    }

    [Fact]
    public async Task A3_Accumulated_text_is_streamed_as_deltas_and_ends_with_the_tree()
    {
        var states = new Text("") { Id = "t" }.AccumulateAsync(Sequence("Hel", "lo"), Cancel).Select(WidgetRoot (text) => new Card { Children = [text] });

        var events = await WidgetEvents.OfAsync("thr_1", "msg_1", Noon, states, cancel: Cancel).ToListAsync(Cancel);

        Assert.Equal(
            [typeof(ThreadItemAddedEvent), typeof(WidgetTextDelta), typeof(WidgetTextDelta), typeof(WidgetRootUpdated), typeof(ThreadItemDoneEvent)],
            events.Select(sent => (sent as ThreadItemUpdatedEvent)?.Update.GetType() ?? sent.GetType()));
        Assert.All(events.OfType<ThreadItemUpdatedEvent>().Select(sent => sent.Update).OfType<WidgetTextDelta>(), delta => Assert.False(delta.Done));
    }

    private static Card Shown(string value) => new() { Children = [new Text(value) { Id = "t" }] };

    private static async Task<List<StreamEvent>> EventsAsync(params WidgetRoot[] states) =>
        await WidgetEvents.OfAsync("thr_1", "msg_1", Noon, Sequence(states), "copy", Cancel).ToListAsync(Cancel);

    private static async IAsyncEnumerable<T> Sequence<T>(params T[] values)
    {
        foreach (var value in values)
        {
            await Task.Yield();
            yield return value;
        }
    }

    private async Task AssertSentAsync(List<StreamEvent> events, params string[] expected)
    {
        Assert.Equal(expected.Length, events.Count);
        foreach (var (sent, json) in events.Select(ChatKitJson.ToWire).Zip(expected))
        {
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(sent)), $"{json}\nwas sent as\n{Encoding.UTF8.GetString(sent)}");
            await schema.AssertValidAsync("StreamEvent", sent, Cancel);
        }
    }
}
