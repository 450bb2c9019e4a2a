using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static Gateway.Tests.Data.Trouble;

namespace Gateway.Tests.ChatKit;

/// <summary>A page that leaves while its first message is being stored.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class CutCreateTests(ChatKitSetup setup, ChatKitContract contract)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The table of items is locked, so that the thread is there and its message is not when the connection is cut.</summary>
    [Fact]
    public async Task Its_thread_does_not_stay_empty_in_the_user_s_list_and_its_file_can_be_sent_again()
    {
        // Arrange
        using var page = await ChatPage.OpenAsync(
            setup.Gateway, setup.Key.Text, contract, "leaver", session: """{"chatkit_configuration":{"file_upload":{"enabled":true},"automatic_thread_titling":{"enabled":false}}}""");
        var file = await UploadAsync(page);
        await using var connection = new NpgsqlConnection(setup.Database);
        await connection.OpenAsync(Cancel);
        await using var locked = await connection.BeginTransactionAsync(Cancel);
        await using (var take = new NpgsqlCommand("LOCK TABLE chatkit_items IN EXCLUSIVE MODE", connection))
        {
            await take.ExecuteNonQueryAsync(Cancel);
        }

        // Act
        using (var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var create = page.Client.PostAsync(
                "/chatkit",
                new StringContent(
                    new JsonObject { ["type"] = "threads.create", ["params"] = new JsonObject { ["input"] = ChatPage.Message("say:Never.", file) } }.ToJsonString(),
                    Encoding.UTF8, "application/json"),
                leave.Token);
            await UntilAsync(async () => await WaitingAsync() == 1);

            Assert.Single(await ThreadsAsync());
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => create);
        }

        await UntilAsync(async () => await WaitingAsync() == 0);
        await locked.RollbackAsync(Cancel);

        // Assert
        await UntilAsync(async () => (await ThreadsAsync()).Count == 0);
        Assert.Empty((await page.AskAsync("threads.list", []))["data"]!.AsArray());
        var (thread, events) = await page.CreateAsync("say:Here it is.", file);
        Assert.Contains("Mauve.", ChatPage.TextOf(events), StringComparison.Ordinal);
        Assert.Equal(thread, Assert.Single(await ThreadsAsync()));
        Assert.Equal(file, (string)(await page.ItemsAsync(thread))[0]["attachments"]![0]!["id"]!);
    }

    private async Task<string> UploadAsync(ChatPage page)
    {
        using var form = new MultipartFormDataContent { { new StringContent("Mauve."), "file", "notes.txt" } };
        using var reply = await page.Client.PostAsync("/v1/chatkit/attachments", form, Cancel);
        var text = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(reply.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["id"]!;
    }

    private async Task<IReadOnlyList<string>> ThreadsAsync()
    {
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(setup.Database).Options);
        return await db.ChatKitThreads.Where(thread => thread.UserId == "leaver").Select(thread => thread.Id).ToListAsync(Cancel);
    }

    /// <summary>How many messages wait for the lock. On another connection: within a transaction the answer would stay the first one.</summary>
    private async Task<long> WaitingAsync() => (long)(await ScalarAsync(
        setup.Database,
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO chatkit_items%'
        """))!;
}
