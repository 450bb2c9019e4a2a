using System.Text;
using System.Text.Json.Nodes;
using OpenAI.Chat;

namespace Gateway.Tests.Sdk;

/// <summary>The <c>OpenAI</c> NuGet package's <see cref="ChatClient"/>, on a model and on a bot.</summary>
public sealed class DotnetChatTests(SdkSetup setup) : SdkTest(setup)
{
    private const string WeatherQuestion = "How is the weather in Paris?\ncall:get_weather {\"city\":\"Paris\"}";

    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "get_weather", "The weather of a city.",
        BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}"""));

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task CompleteChat_gives_text_and_usage(string selector)
    {
        ChatCompletion reply = await Setup.Chat(selector).CompleteChatAsync([new UserChatMessage("Who are you?")], cancellationToken: Cancel);

        Assert.Equal(ChatFinishReason.Stop, reply.FinishReason);
        Assert.NotEmpty(Assert.Single(reply.Content).Text);
        Assert.True(reply.Usage.InputTokenCount > 0 && reply.Usage.OutputTokenCount > 0);
        if (selector == SdkSetup.DemoBot)
        {
            Assert.Equal(SdkSetup.DemoBot, reply.Model);
        }
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task CompleteChatStreaming_gives_the_same_text_in_pieces(string selector)
    {
        ChatCompletion plain = await Setup.Chat(selector).CompleteChatAsync([new UserChatMessage("Who are you?")], cancellationToken: Cancel);

        var updates = await CollectAsync(Setup.Chat(selector), [new UserChatMessage("Who are you?")]);

        Assert.Equal(plain.Content[0].Text, TextOf(updates));
        Assert.Single(updates, update => update.FinishReason == ChatFinishReason.Stop);
        Assert.True(updates.Count(update => update.ContentUpdate.Count > 0) > 1, "The text came in one piece.");
        Assert.True(Assert.Single(updates, update => update.Usage is not null).Usage.TotalTokenCount > 0);
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Tools_make_the_round_trip(string selector)
    {
        var options = new ChatCompletionOptions { Tools = { Weather } };
        List<ChatMessage> messages = [new UserChatMessage(WeatherQuestion)];

        ChatCompletion first = await Setup.Chat(selector).CompleteChatAsync(messages, options, Cancel);
        var call = Assert.Single(first.ToolCalls);
        messages.Add(new AssistantChatMessage(first));
        messages.Add(new ToolChatMessage(call.Id, "The weather in Paris is sunny with 21 degrees."));
        ChatCompletion second = await Setup.Chat(selector).CompleteChatAsync(messages, options, Cancel);

        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        Assert.Equal("get_weather", call.FunctionName);
        Assert.Equal("Paris", JsonNode.Parse(call.FunctionArguments)!["city"]!.GetValue<string>());
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
        Assert.Contains("21 degrees", second.Content[0].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Streamed_tool_calls_are_put_together(string selector)
    {
        var updates = await CollectAsync(
            Setup.Chat(selector), [new UserChatMessage(WeatherQuestion)], new ChatCompletionOptions { Tools = { Weather } });

        var calls = updates.SelectMany(update => update.ToolCallUpdates).ToList();
        Assert.Equal("get_weather", Assert.Single(calls, call => !string.IsNullOrEmpty(call.FunctionName)).FunctionName);
        Assert.Single(calls, call => !string.IsNullOrEmpty(call.ToolCallId));
        var arguments = string.Concat(calls.Select(call => call.FunctionArgumentsUpdate?.ToString()));
        Assert.Equal("Paris", JsonNode.Parse(arguments)!["city"]!.GetValue<string>());
        Assert.Single(updates, update => update.FinishReason == ChatFinishReason.ToolCalls);
    }

    [Theory]
    [InlineData(SdkSetup.DemoModel)]
    [InlineData(SdkSetup.DemoBot)]
    public async Task Structured_output_follows_the_schema(string selector)
    {
        var schema = BinaryData.FromString(
            """{"type":"object","properties":{"city":{"type":"string"},"degrees":{"type":"number"}},"required":["city","degrees"],"additionalProperties":false}""");
        var options = new ChatCompletionOptions
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("weather", schema, jsonSchemaIsStrict: true),
        };

        ChatCompletion reply = await Setup.Chat(selector).CompleteChatAsync([new UserChatMessage("How is the weather in Paris?")], options, Cancel);

        var answer = JsonNode.Parse(reply.Content[0].Text)!.AsObject();
        Assert.Equal(["city", "degrees"], answer.Select(member => member.Key).Order());
        Assert.Equal(System.Text.Json.JsonValueKind.Number, answer["degrees"]!.GetValueKind());
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel)]
    [InlineData(SdkSetup.ScriptedBot)]
    public async Task Images_reach_the_upstream(string selector)
    {
        byte[] image = [0x89, 0x50, 0x4E, 0x47, 1, 2, 3];
        Setup.Upstream.Answers(Scripts.Says("An image."));
        var message = new UserChatMessage(
            ChatMessageContentPart.CreateTextPart("What is this?"),
            ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(image), "image/png", ChatImageDetailLevel.Low));

        ChatCompletion reply = await Setup.Chat(selector).CompleteChatAsync([message], cancellationToken: Cancel);

        Assert.Equal("An image.", reply.Content[0].Text);
        var part = Setup.Upstream.Requests[0].Json["messages"]!.AsArray()[^1]!["content"]!.AsArray()[1]!["image_url"]!;
        Assert.Equal("data:image/png;base64," + Convert.ToBase64String(image), part["url"]!.GetValue<string>());
        Assert.Equal("low", part["detail"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel)]
    [InlineData(SdkSetup.ScriptedBot)]
    public async Task Cancelling_in_mid_stream_is_seen_by_the_upstream(string selector)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var text = new StringBuilder();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in Setup.Chat(selector).CompleteChatStreamingAsync([new UserChatMessage("stall")], cancellationToken: stop.Token))
            {
                text.Append(update.ContentUpdate.Count > 0 ? update.ContentUpdate[0].Text : null);
                if (text.ToString() == "one two")
                {
                    await stop.CancelAsync();
                }
            }
        });

        await Setup.Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel)]
    [InlineData(SdkSetup.ScriptedBot)]
    public async Task A_stream_cut_anywhere_before_its_finish_is_an_error(string selector)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);
        UsageMayBeMissing = true;
        var wrong = new System.Collections.Concurrent.ConcurrentBag<string>();
        var questions = Scripts.Cuts.SelectMany(cut => Enumerable.Range(0, Scripts.EventsUntilFinish + 3), (cut, k) => (cut, k));

        await Parallel.ForEachAsync(questions, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel }, async (question, _) =>
        {
            List<StreamingChatCompletionUpdate> updates = [];
            var error = await Record.ExceptionAsync(async () =>
                updates = await CollectAsync(Setup.Chat(selector), [new UserChatMessage($"{question.cut}:{question.k}")]));
            var isWhole = error is null && TextOf(updates) == Scripts.Text;
            if (question.k < Scripts.EventsUntilFinish ? error is null or OperationCanceledException : !isWhole)
            {
                wrong.Add($"{question.cut} after {question.k} events: {error?.Message ?? TextOf(updates)}");
            }
        });

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order()));
    }

    private static async Task<List<StreamingChatCompletionUpdate>> CollectAsync(
        ChatClient client, IEnumerable<ChatMessage> messages, ChatCompletionOptions? options = null)
    {
        List<StreamingChatCompletionUpdate> updates = [];
        await foreach (var update in client.CompleteChatStreamingAsync(messages, options, Cancel))
        {
            updates.Add(update);
        }

        return updates;
    }

    private static string TextOf(IEnumerable<StreamingChatCompletionUpdate> updates) =>
        string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text));
}
