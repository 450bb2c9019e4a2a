using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Bots;
using Gateway.Simulator;

namespace Gateway.Tests.Bots;

public sealed class DemoBotTests
{
    [Theory]
    [InlineData("What is a bot?", "a whole system behind one model name")]
    [InlineData("How do I reach a real model?", "OPENAI_API_KEY")]
    [InlineData("How are keys made?", "gateway keys create")]
    public async Task The_demo_bot_answers_from_its_backstory(string question, string said)
    {
        // Arrange
        var cancel = TestContext.Current.CancellationToken;
        await using var simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), cancel);
        using var client = new HttpClient { BaseAddress = simulator.Address };
        var backstory = Backstory.Expand(DemoBot.Bot.Backstory, DemoBot.Bot.Name, "default", TimeProvider.System.GetUtcNow());

        // Act
        var reply = await client.PostAsJsonAsync(
            "v1/chat/completions",
            new { model = "demo", messages = new[] { new { role = "system", content = backstory }, new { role = "user", content = question } } },
            cancel);

        // Assert
        var answer = (string?)(await reply.Content.ReadFromJsonAsync<JsonNode>(cancel))!["choices"]![0]!["message"]!["content"];
        Assert.Contains(said, answer, StringComparison.Ordinal);
    }
}
