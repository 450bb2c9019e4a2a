using System.Text.Json;
using Gateway.Tests.Support;

namespace Gateway.Tests.Sdk;

/// <summary>The <c>openai</c> npm package beyond chat: models, embeddings, error classes and retries.</summary>
public sealed class NodeClientTests(SdkSetup setup) : SdkTest(setup)
{
    [Fact]
    public async Task Models_are_listed_and_retrieved_by_selector()
    {
        var lines = await Setup.NodeAsync("models.mjs", SdkSetup.DemoModel, Cancel);

        var ids = lines[0].AsArray().Select(model => model!["id"]!.GetValue<string>()).ToList();
        Assert.Contains(SdkSetup.DemoModel, ids);
        Assert.Contains(SdkSetup.DemoBot, ids);
        Assert.DoesNotContain(SdkSetup.ScriptedBot, ids);
        var bot = lines[0].AsArray().Single(model => model!["id"]!.GetValue<string>() == SdkSetup.DemoBot)!;
        Assert.NotEmpty(bot["name"]!.GetValue<string>());
        Assert.Equal(SdkSetup.DemoModel, lines[1]["id"]!.GetValue<string>());
        Assert.Equal(SdkSetup.DemoBot, lines[2]["id"]!.GetValue<string>());
        Assert.Equal(("NotFoundError", "model_not_found"), (lines[3]["error"]!.GetValue<string>(), lines[3]["code"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Embeddings_decode_to_the_same_vectors_as_plain_numbers()
    {
        var seen = Assert.Single(await Setup.NodeAsync("embeddings.mjs", SdkSetup.DemoModel, Cancel));

        var decoded = seen["decoded"]!.Deserialize<double[][]>()!;
        var plain = seen["plain"]!.Deserialize<double[][]>()!;
        Assert.Equal("[0,1,2]", seen["indexes"]!.ToJsonString());
        Assert.True(seen["usage"]!["prompt_tokens"]!.GetValue<int>() > 0);
        Assert.NotEmpty(decoded[0]);
        Assert.Equal(decoded[0], decoded[1]);
        Assert.NotEqual(decoded[0], decoded[2]);
        for (var i = 0; i < decoded.Length; i++)
        {
            Assert.Equal(plain[i].Length, decoded[i].Length);
            Assert.All(plain[i].Zip(decoded[i]), pair => Assert.Equal(pair.First, pair.Second, tolerance: 1e-6));
        }
    }

    [Theory]
    [InlineData("gpt-4o", "Hello", null, "BadRequestError", 400, "invalid_model_selector")]
    [InlineData("conversation/id=1", "Hello", null, "BadRequestError", 400, "invalid_model_selector")]
    [InlineData(SdkSetup.DemoModel, "Hello", "sk-gw-nobody-has-this-key", "AuthenticationError", 401, "invalid_api_key")]
    [InlineData("bot/id=nobody", "Hello", null, "NotFoundError", 404, "model_not_found")]
    [InlineData(SdkSetup.ScriptedModel, "status:400", null, "BadRequestError", 400, null)]
    [InlineData(SdkSetup.ScriptedModel, "status:429", null, "RateLimitError", 429, "rate_limit_exceeded")]
    [InlineData(SdkSetup.ScriptedModel, "status:500", null, "InternalServerError", 500, null)]
    [InlineData(SdkSetup.ScriptedBot, "status:429", null, "RateLimitError", 429, "rate_limit_exceeded")]
    [InlineData(SdkSetup.ScriptedBot, "status:500", null, "InternalServerError", 500, null)]
    public async Task Each_refusal_is_its_error_class(string selector, string question, string? key, string error, int status, string? code)
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);
        var cases = JsonSerializer.Serialize(new[] { new { model = selector, question, key } });

        var seen = await Setup.NodeAsync("errors.mjs", selector, Cancel, ("CASES", cases));

        Assert.Equal(2, seen.Count);
        Assert.All(seen, failure =>
        {
            Assert.Equal($"[\"{error}\"]", failure["instanceOf"]!.ToJsonString());
            Assert.Equal(status, failure["status"]!.GetValue<int>());
            Assert.Equal(code, failure["code"]?.GetValue<string>());
            Assert.NotEmpty(failure["requestId"]!.GetValue<string>());
            Assert.NotEmpty(failure["type"]!.GetValue<string>());
        });
    }

    [Fact]
    public async Task MaxRetries_0_makes_one_request()
    {
        Setup.Upstream.Answers(Scripts.ByQuestion);

        var seen = Assert.Single(await Setup.NodeAsync("retries.mjs", SdkSetup.ScriptedModel, Cancel, ("RETRIES", "0"), ("QUESTION", "status:500")));

        Assert.Equal("InternalServerError", seen["error"]!.GetValue<string>());
        Assert.Equal(1, Setup.Proxy.Arrived);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(429)]
    public async Task MaxRetries_2_succeeds_once_the_upstream_is_well_again(int status)
    {
        // Well from the SDK's third request on, however often the gateway itself tries for one of them.
        Setup.Upstream.Answers(Answer.ByRequest(_ => Setup.Proxy.Arrived < 3
            ? Answer.Refusal(status, retryAfter: status == 429 ? "1" : null)
            : Scripts.Says("Well again.")));

        var seen = Assert.Single(await Setup.NodeAsync("retries.mjs", SdkSetup.ScriptedModel, Cancel, ("RETRIES", "2"), ("QUESTION", "Hello")));

        Assert.Equal("Well again.", seen["content"]?.GetValue<string>());
        Assert.Equal(3, Setup.Proxy.Arrived);
    }
}
