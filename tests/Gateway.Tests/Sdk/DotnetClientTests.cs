using System.ClientModel;
using Gateway.Tests.Support;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Models;

namespace Gateway.Tests.Sdk;

/// <summary>The <c>OpenAI</c> NuGet package beyond chat: models, embeddings, exceptions and retries.</summary>
public sealed class DotnetClientTests(SdkSetup setup) : SdkTest(setup)
{
    [Fact]
    public async Task OpenAIModelClient_lists_and_gets_selectors()
    {
        var client = new OpenAIModelClient(new ApiKeyCredential(Setup.KeyFor(SdkSetup.DemoModel)), Setup.Options());

        OpenAIModelCollection all = await client.GetModelsAsync(Cancel);
        OpenAIModel model = await client.GetModelAsync(SdkSetup.DemoModel, Cancel);
        OpenAIModel bot = await client.GetModelAsync(SdkSetup.DemoBot, Cancel);
        var missing = await Assert.ThrowsAsync<ClientResultException>(() => client.GetModelAsync("bot/id=nobody", Cancel));

        Assert.Contains(all, listed => listed.Id == SdkSetup.DemoModel);
        Assert.Contains(all, listed => listed.Id == SdkSetup.DemoBot);
        Assert.DoesNotContain(all, listed => listed.Id == SdkSetup.ScriptedBot);
        Assert.Equal((SdkSetup.DemoModel, SdkSetup.DemoBot), (model.Id, bot.Id));
        Assert.Equal(404, missing.Status);
    }

    [Fact]
    public async Task EmbeddingClient_decodes_vectors_in_which_equal_texts_are_equal()
    {
        var client = new EmbeddingClient(SdkSetup.DemoModel, new ApiKeyCredential(Setup.KeyFor(SdkSetup.DemoModel)), Setup.Options());

        OpenAIEmbeddingCollection reply = await client.GenerateEmbeddingsAsync(
            ["a cat sat on the mat", "a cat sat on the mat", "interest rates rose again"], cancellationToken: Cancel);

        Assert.Equal([0, 1, 2], reply.Select(embedding => embedding.Index));
        Assert.True(reply.Usage.InputTokenCount > 0);
        var vectors = reply.Select(embedding => embedding.ToFloats().ToArray()).ToList();
        Assert.NotEmpty(vectors[0]);
        Assert.Equal(vectors[0], vectors[1]);
        Assert.NotEqual(vectors[0], vectors[2]);
    }

    [Theory]
    [InlineData("gpt-4o", 400)]
    [InlineData("conversation/id=1", 400)]
    [InlineData("bot/id=nobody", 404)]
    public async Task A_wrong_selector_is_a_ClientResultException_with_its_status(string selector, int status)
    {
        var error = await FailAsync(Setup.Chat(selector), "Hello");

        Assert.Equal(status, error.Status);
        Assert.Contains(status == 400 ? "model/name=" : "bot/id=nobody", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_a_401()
    {
        var error = await FailAsync(Setup.Chat(SdkSetup.DemoModel, key: "sk-gw-nobody-has-this-key"), "Hello");

        Assert.Equal(401, error.Status);
        Assert.DoesNotContain("sk-gw-nobody-has-this-key", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SdkSetup.ScriptedModel, 400)]
    [InlineData(SdkSetup.ScriptedModel, 429)]
    [InlineData(SdkSetup.ScriptedModel, 500)]
    [InlineData(SdkSetup.ScriptedBot, 400)]
    [InlineData(SdkSetup.ScriptedBot, 429)]
    [InlineData(SdkSetup.ScriptedBot, 500)]
    public async Task A_refusal_of_the_upstream_keeps_its_status(string selector, int status)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);

        var plain = await FailAsync(Setup.Chat(selector), $"status:{status}");
        var streamed = await Assert.ThrowsAsync<ClientResultException>(async () =>
        {
            await foreach (var _ in Setup.Chat(selector).CompleteChatStreamingAsync([new UserChatMessage($"status:{status}")], cancellationToken: Cancel))
            {
            }
        });

        Assert.Equal((status, status), (plain.Status, streamed.Status));
    }

    [Fact]
    public async Task Retries_turned_off_make_one_request()
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);

        await FailAsync(Setup.Chat(SdkSetup.ScriptedModel, retries: 0), "status:500");

        Assert.Equal(1, Setup.Proxy.Arrived);
    }

    [Fact]
    public async Task The_default_retry_policy_succeeds_once_the_upstream_is_well_again()
    {
        // Well from the SDK's third request on, however often the gateway itself tries for one of them.
        Setup.Upstream.Answers(Answer.ByRequest(_ => Setup.Proxy.Arrived < 3
            ? Answer.Refusal(500)
            : Scripts.Says("Well again.")));

        ChatCompletion reply = await Setup.Chat(SdkSetup.ScriptedModel, retries: null).CompleteChatAsync(
            [new UserChatMessage("Hello")], cancellationToken: Cancel);

        Assert.Equal("Well again.", reply.Content[0].Text);
        Assert.Equal(3, Setup.Proxy.Arrived);
    }

    private static Task<ClientResultException> FailAsync(ChatClient client, string question) =>
        Assert.ThrowsAsync<ClientResultException>(() => client.CompleteChatAsync([new UserChatMessage(question)], cancellationToken: Cancel));
}
