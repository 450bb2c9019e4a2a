using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

/// <summary>Threads that hold more than a request may: what of them a model gets.</summary>
[Collection(ScriptedChatTestsShareOneGateway.Name)]
public sealed class LongThreadTests(ScriptedChatFixture fixture, ChatKitContract contract)
{
    private readonly ScriptedChat _chat = fixture.Chat;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Older_items_are_not_read_when_the_newer_ones_fill_a_request()
    {
        _chat.Upstream.Reset();
        _chat.Upstream.Answers(ScriptedChat.Says("Yes", "."));
        using var page = await ChatPage.OpenAsync(_chat.Gateway, _chat.Key.Text, contract, session: ScriptedChat.Session);
        var (thread, _) = await page.CreateAsync("First.");
        await page.SayAsync(thread, "Second.");
        await page.SayAsync(thread, "Third.");
        await MakeLongAsync(thread, "Second.", "Third.");

        Assert.Equal("Yes.", ChatPage.TextOf(await page.SayAsync(thread, "Fourth.")));

        // Of 20 MiB in all: the one that passes them is the last.
        var asked = _chat.Upstream.Requests[^1].Json["messages"]!.AsArray().Where(message => (string)message!["role"]! == "user").Select(message => (string)message!["content"]!);
        Assert.Equal(["Second", "Third.", "Fourth"], asked.Select(text => text[..6]));
    }

    /// <summary>Makes messages as long as none would be taken now.</summary>
    private async Task MakeLongAsync(string thread, params string[] texts)
    {
        await using var db = _chat.Db();
        foreach (var item in await db.ChatKitItems.Where(i => i.ThreadId == thread).ToListAsync(Cancel))
        {
            var document = JsonNode.Parse(item.Document)!;
            if (ChatPage.Type(document) == "user_message" && texts.Contains((string)document["content"]![0]!["text"]!))
            {
                document["content"]![0]!["text"] = $"{document["content"]![0]!["text"]}{new string('x', 11 * 1_048_576)}";
                await db.Database.ExecuteSqlAsync(
                    $"UPDATE chatkit_items SET document = {document.ToJsonString()}::json WHERE thread_id = {thread} AND id = {item.Id}", Cancel);
            }
        }
    }
}
