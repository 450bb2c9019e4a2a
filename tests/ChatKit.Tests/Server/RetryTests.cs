using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Retry (specification §4.6), and what reaches the handler with a message.</summary>
public sealed class RetryTests(ChatKitSchema schema) : ServerTest(schema)
{
    private readonly List<UserMessageItem?> _messages = [];

    [Fact]
    public async Task S39_a_retry_redoes_the_reply_to_the_same_message()
    {
        await ExchangeAsync("msg_a");
        Answers("msg_b");

        var events = await StreamAsync(Ask.Retry("thr_1", "msg_1"));

        Assert.Equal(["stream_options", "thread.item.done"], TypesOf(events));
        Assert.Equal(["msg_1", "msg_b"], (await StoredAsync("thr_1")).Select(item => item.Id));
        Assert.Equal("msg_1", Assert.Single(_messages)!.Id);
    }

    /// <summary>The reference fails with an exception that becomes a 500; ours is a 400 that says the same.</summary>
    [Fact]
    public async Task S40_a_retry_on_an_assistant_message_fails()
    {
        await ExchangeAsync("msg_a");

        var refusal = await Assert.ThrowsAsync<InvalidRequestException>(() => ProcessAsync(Ask.Retry("thr_1", "msg_a")));

        Assert.Contains("is not a user message", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await StoredAsync("thr_1")).Count);
    }

    [Fact]
    public async Task S41_a_retry_on_the_second_message_leaves_the_first_exchange_alone()
    {
        await ExchangeAsync("msg_a");
        Answers("msg_b");
        await StreamAsync(Ask.Add("thr_1"));
        Answers("msg_c");

        await StreamAsync(Ask.Retry("thr_1", "msg_2"));

        Assert.Equal(["msg_1", "msg_a", "msg_2", "msg_c"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Theory]
    [InlineData("create")]
    [InlineData("add")]
    [InlineData("retry")]
    public async Task S42_the_chosen_tool_and_model_reach_the_handler(string operation)
    {
        Answers("msg_a");
        var create = Ask.Create();
        create["params"]!["input"]!["inference_options"] = Choice("tool-1");
        await StreamAsync(create);
        if (operation == "add")
        {
            var add = Ask.Add("thr_1");
            add["params"]!["input"]!["inference_options"] = Choice("tool-2");
            await StreamAsync(add);
        }
        else if (operation == "retry")
        {
            await StreamAsync(Ask.Retry("thr_1", "msg_1"));
        }

        Assert.Equal(operation == "add" ? "tool-2" : "tool-1", _messages[^1]!.InferenceOptions.ToolChoice!.Id);
        Assert.Equal("big", _messages[^1]!.InferenceOptions.Model);
        Assert.Equal(operation == "create" ? 1 : 2, _messages.Count);

        static System.Text.Json.Nodes.JsonObject Choice(string id) => new() { ["tool_choice"] = new System.Text.Json.Nodes.JsonObject { ["id"] = id }, ["model"] = "big" };
    }

    [Fact]
    public async Task S43_a_recording_is_decoded_and_its_text_answered()
    {
        (AudioInput Audio, Caller Caller)? seen = null;
        Server.OnTranscribe = (audio, caller) =>
        {
            seen = (audio, caller);
            return new TranscriptionResult { Text = "hello" };
        };
        var request = Ask.Of("input.transcribe", new() { ["audio_base64"] = "AQID", ["mime_type"] = "audio/webm;codecs=opus" });

        AssertJson("""{"text":"hello"}""", await AnswerAsync("InputTranscribeRes", request));

        Assert.Equal([1, 2, 3], seen!.Value.Audio.Data.ToArray());
        Assert.Equal("audio/webm;codecs=opus", seen.Value.Audio.MimeType);
        Assert.Equal("audio/webm", seen.Value.Audio.MediaType);
        Assert.Same(Ann, seen.Value.Caller);
        Server.OnTranscribe = null;
        Assert.Equal(501, (await RefusalAsync(request)).Status);
    }

    [Fact]
    public async Task S44_ids_of_the_stores_own_are_used_for_thread_and_message()
    {
        var events = await StreamAsync(Ask.Create());

        Assert.Equal("thr_1", (string?)events[0]["thread"]!["id"]);
        Assert.Equal("msg_1", (string?)events[1]["item"]!["id"]);
        Assert.Equal("thr_1", (string?)events[1]["item"]!["thread_id"]);
    }

    [Fact]
    public async Task A_retry_on_an_unknown_item_is_an_empty_stream_and_deletes_nothing()
    {
        await ExchangeAsync("msg_a");

        Assert.Empty(await StreamAsync(Ask.Retry("thr_1", "msg_never")));

        Assert.Equal(2, (await StoredAsync("thr_1")).Count);
        Assert.Empty(_messages);
    }

    [Fact]
    public async Task A_retry_finds_its_message_behind_many_items_and_deletes_hidden_ones_too()
    {
        await BegunAsync(thread =>
            [.. Enumerable.Range(1, 130).Select(number => Make.Reply(thread, $"r{number}", "text")), Make.Hidden(thread, "msg_h")]);
        Answers("msg_b");

        await StreamAsync(Ask.Retry("thr_1", "msg_1"));

        Assert.Equal(["msg_1", "msg_b"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    [Fact]
    public async Task A_retry_holds_few_items_at_a_time()
    {
        var store = new CountingStore();
        Server = new ScriptedServer(store, options: new() { Clock = Clock });
        Server.OnRespond = (thread, _, _) => Script.Of([.. Enumerable.Range(1, 60).Select(number => Make.Done(Make.Reply(thread, $"r{number}", "text")))]);
        await StreamAsync(Ask.Create());
        Answers("msg_b");

        await StreamAsync(Ask.Retry("thr_1", "msg_1"));

        Assert.InRange(store.MostAsked, 1, 10);
        Assert.Equal(["msg_1", "msg_b"], (await StoredAsync("thr_1")).Select(item => item.Id));
    }

    private async Task ExchangeAsync(string reply)
    {
        Answers(reply);
        await StreamAsync(Ask.Create());
        _messages.Clear();
    }

    private void Answers(string id) => Server.OnRespond = (thread, message, _) =>
    {
        _messages.Add(message);
        return Script.Of(Make.Done(Make.Reply(thread, id, "Jane Austen.")));
    };

    /// <summary>A store that remembers how many items it was asked for at once.</summary>
    private sealed class CountingStore : NumberedStore
    {
        public int MostAsked { get; private set; }

        public override Task<Page<ThreadItem>> LoadThreadItemsAsync(
            string threadId, string? after, int limit, SortOrder order, Caller context, CancellationToken cancel)
        {
            MostAsked = Math.Max(MostAsked, limit);
            return base.LoadThreadItemsAsync(threadId, after, limit, order, context, cancel);
        }
    }
}
