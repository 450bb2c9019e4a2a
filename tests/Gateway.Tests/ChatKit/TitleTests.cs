using System.Text.Json.Nodes;

namespace Gateway.Tests.ChatKit;

/// <summary>Titles of the demo: what a list of threads shows until there is a real model.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class TitleTests(ChatKitSetup setup, ChatKitContract contract)
{
    [Theory]
    [InlineData("which colour has the wall of the tower, please?", "Which colour has the wall of")]
    [InlineData("say:It is blue.", "It is blue")]
    [InlineData("Who are you?", "Who are you")]
    public async Task The_simulator_names_a_thread_by_its_first_words(string said, string title)
    {
        using var page = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract);

        var (thread, _) = await page.CreateAsync(said);

        var stored = await page.AskAsync("threads.get_by_id", new JsonObject { ["thread_id"] = thread });
        Assert.Equal(title, (string)stored["title"]!);
    }
}
