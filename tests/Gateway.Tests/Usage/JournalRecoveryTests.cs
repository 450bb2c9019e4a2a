using Gateway.Tests.Support;

namespace Gateway.Tests.Usage;

/// <summary>Whatever is killed or taken away: one row for each request, and no second one.</summary>
public sealed class JournalRecoveryTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_that_was_running_when_its_gateway_was_killed_is_one_lost_row()
    {
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        gateway.Upstream.Reset();
        gateway.Upstream.Answers(Answer.Stream([.. Replies.WordEvents("m", ["Hello "]).Take(2).Select(Piece.Of), Piece.Stall]));
        using var reply = await gateway.SendAsync("cut", stream: true, cancel: Cancel);

        await gateway.Process.KillAsync();
        await gateway.Process.StartAgainAsync(Cancel);

        var row = Assert.Single(await gateway.RowsAsync(1, Cancel));
        Assert.Equal(("cut", "lost", 0, true, true), (row.RequestId, row.EndReason, row.Status, row.IsStream, row.IsEstimated));
        Assert.Equal(("m", 0L), (row.Model, row.Output));
        Assert.InRange(row.Input, 1, 1_000);
        await OneJournalAsync(gateway);
        await gateway.Process.KillAsync();
        await gateway.Process.StartAgainAsync(Cancel);
        await OneJournalAsync(gateway);
        Assert.Single(await gateway.RowsAsync(Cancel));
    }

    [Fact]
    public async Task What_a_killed_gateway_could_not_ship_is_shipped_at_the_next_start()
    {
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        Assert.Equal(200, await gateway.AskAsync("before", cancel: Cancel));
        await gateway.RowsAsync(1, Cancel);
        gateway.Relay.Cut();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, await gateway.AskAsync($"away{i}", cancel: Cancel));
        }

        await gateway.Process.KillAsync();
        gateway.Relay.Restore();
        await gateway.Process.StartAgainAsync(Cancel);

        var rows = await gateway.RowsAsync(21, Cancel);
        Assert.All(rows, r => Assert.Equal(("done", 200, false), (r.EndReason, r.Status, r.IsEstimated)));
        await OneJournalAsync(gateway);
        await gateway.RowsAsync(21, Cancel);
    }

    [Fact]
    public async Task A_database_that_goes_and_comes_under_load_gets_every_row_once()
    {
        // Arrange
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        var asked = 0;
        var isOver = false;
        var callers = Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Assert.Equal(200, await gateway.AskAsync($"r{Interlocked.Increment(ref asked)}", cancel: Cancel));
            }
        }, Cancel)).ToList();

        // Act: mid-insert, at rest, and again.
        for (var i = 0; i < 5; i++)
        {
            await Task.Delay(300, Cancel);
            gateway.Relay.Cut();
            await Task.Delay(300, Cancel);
            gateway.Relay.Restore();
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(callers);

        // Assert
        var rows = await gateway.RowsAsync(asked, Cancel);
        Assert.Equal(asked, rows.Select(r => r.RequestId).Distinct().Count());
        Assert.InRange(asked, 100, int.MaxValue);
        Assert.Contains("Usage could not be shipped", gateway.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_database_gets_every_row_once()
    {
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        await gateway.ExecuteAsync(
            """
            CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
            CREATE TRIGGER slowly BEFORE INSERT ON usage FOR EACH STATEMENT EXECUTE FUNCTION slowly()
            """, Cancel);

        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(200, await gateway.AskAsync($"r{i}", cancel: Cancel));
        }

        Assert.Equal(0, await gateway.Process.StopAsync(Cancel));
        Assert.Equal(40, (await gateway.RowsAsync(Cancel)).Select(r => r.RequestId).Distinct().Count());
    }

    [Fact]
    public async Task A_gateway_that_is_told_to_stop_ships_all_and_leaves_no_journal()
    {
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => gateway.AskAsync($"r{i}", cancel: Cancel)));

        Assert.Equal(0, await gateway.Process.StopAsync(Cancel));

        Assert.Equal(50, (await gateway.RowsAsync(Cancel)).Count);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(gateway.Process.DataDirectory, "journal")));
    }

    [Fact]
    public async Task Told_to_stop_without_its_database_a_gateway_leaves_the_journal_to_the_next_start()
    {
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        Assert.Equal(200, await gateway.AskAsync("known", cancel: Cancel));
        await gateway.RowsAsync(1, Cancel);
        gateway.Relay.Cut();
        Assert.Equal(200, await gateway.AskAsync("left", cancel: Cancel));

        Assert.Equal(0, await gateway.Process.StopAsync(Cancel));
        Assert.Contains("1 rows are left for the next start", gateway.Process.Output, StringComparison.Ordinal);
        Assert.Single(await gateway.RowsAsync(Cancel));
        gateway.Relay.Restore();
        await gateway.Process.StartAgainAsync(Cancel);

        Assert.Equal("left", (await gateway.RowsAsync(2, Cancel))[^1].RequestId);
    }

    [Fact]
    public async Task Two_gateways_in_one_data_directory_ship_each_its_own()
    {
        // Arrange: one cannot reach the database, the other can.
        await using var first = await UsageGateway.StartAsync(postgres, Cancel);
        Assert.Equal(200, await first.AskAsync("known", cancel: Cancel));
        await first.RowsAsync(1, Cancel);
        first.Relay.Cut();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, await first.AskAsync($"first{i}", cancel: Cancel));
        }

        // Act
        await using var second = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = first.ConnectionString, Yaml = first.Yaml, DataDirectory = first.Process.DataDirectory }, Cancel);
        using var client = second.Client(first.Key);
        Assert.Equal(200, await first.AskAsync("second", client: client, cancel: Cancel));

        // Assert: it looked for orphans before it shipped its own, and let the living one's journal alone.
        Assert.Equal("second", (await first.RowsAsync(2, Cancel))[^1].RequestId);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(second.DataDirectory, "journal")).Length);
        await first.Process.KillAsync();
        await second.StopAsync(Cancel);
        await second.StartAgainAsync(Cancel);
        Assert.Equal(12, (await first.RowsAsync(12, Cancel)).Select(r => r.RequestId).Distinct().Count());
    }

    /// <summary>Orphans are shipped and gone; what is left is the running gateway's own.</summary>
    private static Task OneJournalAsync(UsageGateway gateway) => gateway.UntilAsync(
        () => Directory.GetDirectories(Path.Combine(gateway.Process.DataDirectory, "journal")).Length == 1, Cancel);
}
