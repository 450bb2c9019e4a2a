namespace Gateway.Tests.Simulator;

public sealed class ReplyStreamTests(SimulatorCalls simulator) : IClassFixture<SimulatorCalls>
{
    [Fact]
    public async Task Stream_is_role_words_finish_usage_and_done()
    {
        var stream = await simulator.StreamAsync("words:3", "\"stream_options\":{\"include_usage\":true}");

        var chunks = stream.Chunks;
        Assert.Equal("""{"role":"assistant","content":"","refusal":null}""", chunks[0]["choices"]![0]!["delta"]!.ToJsonString());
        Assert.Equal(["w1", " w2", " w3"], stream.Texts);
        Assert.Equal(["stop"], stream.Finishes);
        Assert.Equal(6, chunks.Count);
        Assert.All(chunks[..^1], c => Assert.True(c.AsObject().ContainsKey("usage") && c["usage"] is null));
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(3, (int)chunks[^1]["usage"]!["completion_tokens"]!);
        Assert.True(stream.IsDone);
    }

    [Fact]
    public async Task Usage_is_absent_when_not_asked_for()
    {
        var stream = await simulator.StreamAsync("words:3");

        Assert.All(stream.Chunks, c => Assert.False(c.AsObject().ContainsKey("usage")));
        Assert.Single(stream.Chunks.Select(c => (string?)c["id"]).Distinct());
    }

    [Fact]
    public async Task Text_of_any_letters_arrives_as_it_was_said()
    {
        const string Said = "\"quoted\" \\ line\nnext é 日本 😀\ttab";

        var stream = await simulator.StreamAsync("say:" + Said);

        Assert.Equal(Said, string.Concat(stream.Texts));
    }

    [Fact]
    public async Task Tool_calls_say_id_and_name_once_and_argue_in_pieces()
    {
        var stream = await simulator.StreamAsync(
            "call:a {\"x\":1}\ncall:b", """ "tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}] """);

        var deltas = stream.Chunks.Select(c => c["choices"]![0]!["delta"]!["tool_calls"]?[0]).Where(d => d is not null).ToList();
        Assert.Equal([0, 1], deltas.Where(d => d!["id"] is not null).Select(d => (int)d!["index"]!));
        Assert.Equal(["a", "b"], deltas.Select(d => (string?)d!["function"]!["name"]).Where(n => n is not null));
        Assert.Equal("{\"x\":1}{}", string.Concat(deltas.Select(d => (string?)d!["function"]!["arguments"])));
        Assert.Equal(["tool_calls"], stream.Finishes);
    }

    [Fact]
    public async Task Reasoning_comes_before_the_content()
    {
        var stream = await simulator.StreamAsync("words:2", model: "demo-reasoning");

        var deltas = stream.Chunks.Select(c => c["choices"]![0]!["delta"]!.AsObject()).ToList();
        var lastReasoning = deltas.FindLastIndex(d => d.ContainsKey("reasoning_content"));
        var firstContent = deltas.FindIndex(d => (string?)d["content"] is { Length: > 0 });
        Assert.InRange(lastReasoning, 1, firstContent - 1);
    }

    [Fact]
    public async Task Choices_take_turns_and_each_ends()
    {
        var stream = await simulator.StreamAsync("words:2", "\"n\":2");

        Assert.Equal(["w1", "t1", " w2", " t2"], stream.Texts);
        Assert.Equal(["stop", "stop"], stream.Finishes);
    }

    [Fact]
    public async Task Stream_cut_after_each_number_of_words_breaks_there()
    {
        for (var k = 0; k <= 6; k++)
        {
            var stream = await simulator.StreamAsync($"words:6 !cut={k}");

            Assert.True(stream.IsBroken);
            Assert.Equal(k, stream.Texts.Count);
            Assert.Empty(stream.Finishes);
        }
    }

    [Theory]
    [InlineData("7")]
    [InlineData("finish")]
    public async Task Stream_cut_after_the_last_word_has_its_finish_but_no_done(string k)
    {
        var stream = await simulator.StreamAsync($"words:6 !cut={k}");

        Assert.True(stream.IsBroken);
        Assert.Equal(["stop"], stream.Finishes);
        Assert.False(stream.IsDone);
    }

    [Theory]
    [InlineData("start")]
    [InlineData("headers")]
    public async Task Stream_cut_before_the_body_has_none(string when)
    {
        var stream = await simulator.StreamAsync($"words:6 !cut={when}");

        Assert.True(stream.IsBroken);
        Assert.Empty(stream.Raw);
    }

    [Fact]
    public async Task Stream_that_ends_early_ends_cleanly_without_finish()
    {
        var stream = await simulator.StreamAsync("words:6 !end=2");

        Assert.False(stream.IsBroken);
        Assert.Equal(2, stream.Texts.Count);
        Assert.Empty(stream.Finishes);
        Assert.False(stream.IsDone);
    }

    [Fact]
    public async Task Malformed_chunk_stands_among_good_ones()
    {
        var stream = await simulator.StreamAsync("words:6 !malformed=2");

        Assert.Equal(6, stream.Texts.Count);
        Assert.Contains("\"del\n\n", stream.Raw, StringComparison.Ordinal);
        Assert.True(stream.IsDone);
    }

    [Fact]
    public async Task Error_event_is_the_last_one()
    {
        var stream = await simulator.StreamAsync("words:6 !error-event=2");

        Assert.EndsWith("\"code\":null}}\n\n", stream.Raw, StringComparison.Ordinal);
        Assert.Contains("data: {\"error\":{\"message\":", stream.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Done_can_be_missing()
    {
        var stream = await simulator.StreamAsync("words:2", model: "demo!nodone");

        Assert.Equal(["stop"], stream.Finishes);
        Assert.DoesNotContain("[DONE]", stream.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stalled_stream_goes_on_when_its_time_is_over_and_pings_meanwhile()
    {
        var stream = await simulator.StreamAsync("words:3 !stall=1 !for=90ms !ping=20ms");

        Assert.Contains("\"w1\"", stream.Raw.Split(": ping\n\n")[0], StringComparison.Ordinal);
        Assert.DoesNotContain("w2", stream.Raw.Split(": ping\n\n")[0], StringComparison.Ordinal);
        Assert.True(stream.IsDone);
    }

    [Fact]
    public async Task Stall_without_end_lasts_until_the_caller_leaves()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        using var body = SimulatorCalls.Json(SimulatorCalls.Body("words:3 !stall=1", "\"stream\":true", "demo"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = body };
        using var response = await simulator.Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => response.Content.ReadAsStringAsync(patience.Token));
    }

    [Fact]
    public async Task Paced_stream_takes_its_time()
    {
        var started = TimeProvider.System.GetTimestamp();

        var stream = await simulator.StreamAsync("words:5 !pace=30ms !first=50ms");

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(195));
        Assert.Equal(5, stream.Texts.Count);
    }

    [Fact]
    public async Task Huge_answer_has_its_length()
    {
        var stream = await simulator.StreamAsync("!huge=1MB");

        Assert.Equal(1_048_576, stream.Texts.Sum(t => t.Length));
        Assert.True(stream.IsDone);
    }

    [Fact]
    public async Task Text_completion_streams_texts()
    {
        var stream = await simulator.StreamAsync(
            "unused", "\"prompt\":\"words:2\",\"stream_options\":{\"include_usage\":true}", path: "v1/completions");

        Assert.Equal(["w1", " w2", ""], stream.Chunks[..^1].Select(c => (string?)c["choices"]![0]!["text"]));
        Assert.Equal(["stop"], stream.Finishes);
        Assert.True(stream.IsDone);
    }
}
