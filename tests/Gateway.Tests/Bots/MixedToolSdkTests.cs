using System.ClientModel;
using System.Text;
using Gateway.Tests.Support;
using OpenAI;
using OpenAI.Chat;

namespace Gateway.Tests.Bots;

/// <summary>The official SDKs on a bot whose tools and theirs are used in one turn; the simulator is the model.</summary>
public sealed class MixedToolSdkTests(TurnSetup setup) : TurnTest(setup)
{
    private const string Question =
        "call:ask_sim-middle {\"message\":\"say:The member knows of a.\"}\ncall:look_up {\"of\":\"b\"}\nthen\ncall:look_up {\"of\":\"c\"}";

    private static readonly ChatTool LookUp = ChatTool.CreateFunctionTool(
        "look_up", "Of the caller.", BinaryData.FromString("""{"type":"object","properties":{"of":{"type":"string"}},"required":["of"]}"""));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dotnet_sees_its_own_tools_alone(bool stream)
    {
        var chat = new ChatClient("bot/id=sim-top", new ApiKeyCredential(Setup.Key), new OpenAIClientOptions { Endpoint = new Uri($"{Setup.Proxy.BaseUrl}/v1") });
        List<ChatMessage> messages = [new UserChatMessage(Question)];
        var options = new ChatCompletionOptions { Tools = { LookUp } };
        List<string> called = [];
        var answer = "";
        for (var rounds = 0; rounds < 4 && answer.Length == 0; rounds++)
        {
            var (text, calls) = stream ? await StreamAsync(chat, messages, options) : await CompleteAsync(chat, messages, options);
            if (calls.Count == 0)
            {
                answer = text;
                break;
            }

            messages.Add(new AssistantChatMessage(calls));
            foreach (var call in calls)
            {
                Assert.Equal("look_up", call.FunctionName);
                called.Add(call.FunctionArguments.ToString());
                messages.Add(new ToolChatMessage(call.Id, "The caller knows of it."));
            }
        }

        Assert.Equal(["""{"of":"b"}""", """{"of":"c"}"""], called);
        Assert.Contains("The member knows of a.", answer, StringComparison.Ordinal);
        await ReplyContract.AssertAllValidAsync(Setup.Proxy, Setup.Schemas, Cancel);
    }

    [Fact]
    public async Task Node_runs_its_own_tools_alone()
    {
        var seen = await Node.RunScriptAsync(
            Path.Combine("sdk", "mixed-tools.mjs"),
            new Dictionary<string, string>
            {
                ["BASE_URL"] = $"{Setup.Proxy.BaseUrl}/v1",
                ["API_KEY"] = Setup.Key,
                ["MODEL"] = "bot/id=sim-top",
                ["QUESTION"] = Question,
            },
            Cancel);

        Assert.Equal(2, seen.Count);
        Assert.All(seen, one =>
        {
            Assert.Equal("""["b","c"]""", one["called"]!.ToJsonString());
            Assert.Equal("""["look_up","look_up"]""", one["names"]!.ToJsonString());
            Assert.Equal("""["user","assistant","tool","assistant","tool","assistant"]""", one["roles"]!.ToJsonString());
            Assert.Contains("The member knows of a.", one["content"]!.GetValue<string>(), StringComparison.Ordinal);
        });
        await ReplyContract.AssertAllValidAsync(Setup.Proxy, Setup.Schemas, Cancel);
    }

    private static async Task<(string Text, IReadOnlyList<ChatToolCall> Calls)> CompleteAsync(
        ChatClient chat, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        ChatCompletion reply = await chat.CompleteChatAsync(messages, options, Cancel);
        return (string.Concat(reply.Content.Select(c => c.Text)), reply.ToolCalls);
    }

    private static async Task<(string Text, IReadOnlyList<ChatToolCall> Calls)> StreamAsync(
        ChatClient chat, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        var text = new StringBuilder();
        var calls = new SortedDictionary<int, (string Id, string Name, StringBuilder Arguments)>();
        await foreach (var update in chat.CompleteChatStreamingAsync(messages, options, Cancel))
        {
            text.Append(string.Concat(update.ContentUpdate.Select(c => c.Text)));
            foreach (var piece in update.ToolCallUpdates)
            {
                calls.TryAdd(piece.Index, (piece.ToolCallId, piece.FunctionName, new StringBuilder()));
                calls[piece.Index].Arguments.Append(piece.FunctionArgumentsUpdate);
            }
        }

        return (text.ToString(), [.. calls.Values.Select(c => ChatToolCall.CreateFunctionToolCall(c.Id, c.Name, BinaryData.FromString(c.Arguments.ToString())))]);
    }
}
