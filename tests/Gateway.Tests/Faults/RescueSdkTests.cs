using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using OpenAI;
using OpenAI.Chat;

namespace Gateway.Tests.Faults;

/// <summary>What the official SDKs make of streams that were carried on, and of those that could not be.</summary>
public sealed class RescueSdkTests(FaultSetup setup) : FaultTest(setup)
{
    private static readonly int[] Cuts = [0, 1, 7, 30, 59, 60];

    [Theory]
    [InlineData("prefill", Door.ModelStream)]
    [InlineData("replay", Door.ModelStream)]
    [InlineData("prefill", Door.BotStream)]
    public async Task Both_read_a_rescued_stream_as_whole(string profile, Door door)
    {
        var call = At(door, profile).On("a", RescueCase.Breaks).On("c-f1", profile == "replay" ? RescueCase.Repeats : RescueCase.Continues);

        foreach (var answer in await NodeAsync(call, Cuts))
        {
            Assert.Equal((RescueCase.Text, "stop", null), ((string?)answer["text"], (string?)answer["finish"], answer["error"]));
        }

        foreach (var k in Cuts)
        {
            Assert.Equal(RescueCase.Text, await DotnetAsync(call, k));
        }
    }

    [Theory]
    [InlineData(Door.ModelStream)]
    [InlineData(Door.BotStream)]
    public async Task Both_raise_an_error_where_the_text_is_another(Door door)
    {
        var call = At(door, "replay").On("a", RescueCase.Breaks).On("c-f1", RescueCase.ParaphrasesFrom(1));

        await AssertBothRaiseAsync(call, Cuts[1..]);
    }

    [Fact]
    public async Task Both_raise_an_error_where_a_tool_call_is_cut()
    {
        var call = At(Door.ModelStream, "either").On("c-f1", RescueCase.Repeats).On("a", Answer.ByRequest(request => Answer.Stream(
            [
                .. Replies.ToolCallEvents("m", "f", "{\"city\":\"Paris\"}")
                    .Take(int.Parse(((string)request.Json["messages"]![0]!["content"]!).Split(':')[1], System.Globalization.CultureInfo.InvariantCulture))
                    .Select(Piece.Of),
                Piece.Abort,
            ])));

        await AssertBothRaiseAsync(call, [2, 3, 4]);
    }

    private async Task AssertBothRaiseAsync(Call call, int[] cuts)
    {
        var answers = await NodeAsync(call, cuts);
        Assert.Equal(cuts.Length, answers.Count);
        Assert.All(answers, answer => Assert.NotNull(answer["error"]));
        foreach (var k in cuts)
        {
            var error = await Record.ExceptionAsync(() => DotnetAsync(call, k));
            Assert.True(error is not null and not OperationCanceledException, $"Cut after {k}: {error?.Message ?? "no error"}");
        }
    }

    private async Task<IReadOnlyList<JsonNode>> NodeAsync(Call call, int[] cuts) => await Node.RunScriptAsync(
        Path.Combine("sdk", "cut.mjs"),
        new Dictionary<string, string>
        {
            ["BASE_URL"] = Setup.Gateway.BaseUrl + "/v1",
            ["API_KEY"] = Setup.Key,
            ["MODEL"] = call.Selector,
            ["QUESTIONS"] = JsonSerializer.Serialize(cuts.Select(RescueCase.CutAfter)),
        },
        Cancel);

    private async Task<string> DotnetAsync(Call call, int cut)
    {
        var client = new ChatClient(call.Selector, new ApiKeyCredential(Setup.Key), new OpenAIClientOptions
        {
            Endpoint = new Uri(Setup.Gateway.BaseUrl + "/v1"),
            NetworkTimeout = TimeSpan.FromSeconds(30),
            RetryPolicy = new ClientRetryPolicy(0),
        });
        var text = "";
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage(RescueCase.CutAfter(cut))], cancellationToken: Cancel))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
        }

        return text;
    }
}
