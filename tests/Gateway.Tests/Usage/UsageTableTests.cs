using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Gateway.Usage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Usage;

/// <summary>A batch of the journal's records in the database's table, whichever way it takes.</summary>
public sealed class UsageTableTests(TestPostgres postgres)
{
    private static readonly decimal?[] Prices =
        [null, 0, 0.000001m, 0.1m, 1.10m, 12_345.678_9m, 10_000, 1_0000_0000, 0.00010000m, 79_228_162_514_264_337_593_543_950_335m, 7.9228162514264337593543950335m];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Copied_rows_are_those_that_a_statement_inserts()
    {
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var table = new UsageTable(source, NullLogger<UsageTable>.Instance);
        var batch = new UsageBatch();
        foreach (var usd in Prices)
        {
            batch.Add(Record(Guid.NewGuid(), "done", usd));
        }

        batch.Add(Record(Guid.NewGuid(), "caf\u00e9 \ud83d\ude00\0", 1, bot: "support", firstContent: true));
        Assert.Equal(0, await table.AddAsync(batch.ToRows(), Cancel));
        var inserted = await RowsAsync(source);
        await ExecuteAsync(source, "TRUNCATE usage");

        Assert.Equal(0, await table.AddAsync(batch, Cancel));

        Assert.Equal(Prices.Length + 1, inserted.Count);
        Assert.Equal(inserted, await RowsAsync(source));
    }

    [Fact]
    public async Task What_is_there_already_stays_as_it_is_and_the_rest_is_added()
    {
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var table = new UsageTable(source, NullLogger<UsageTable>.Instance);
        var (known, added) = (Guid.NewGuid(), Guid.NewGuid());
        var batch = new UsageBatch();
        batch.Add(Record(known, "kept", 1));
        Assert.Equal(0, await table.AddAsync(batch, Cancel));
        batch.Clear();
        batch.Add(Record(known, "again", 1));
        batch.Add(Record(added, "added", 1));

        Assert.Equal(0, await table.AddAsync(batch, Cancel));

        Assert.Equal(["added", "kept"], (await RowsAsync(source)).Select(row => (string)JsonNode.Parse(row)!["end_reason"]!).Order());
    }

    [Fact]
    public async Task A_row_that_is_not_acceptable_is_left_out_alone()
    {
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await ExecuteAsync(source, "ALTER TABLE usage ADD CONSTRAINT never CHECK (end_reason <> 'bad')");
        var table = new UsageTable(source, NullLogger<UsageTable>.Instance);
        var batch = new UsageBatch();
        string[] reasons = ["one", "bad", "two"];
        Array.ForEach(reasons, reason => batch.Add(Record(Guid.NewGuid(), reason, 1)));

        Assert.Equal(1, await table.AddAsync(batch, Cancel));

        Assert.Equal(2, (await RowsAsync(source)).Count);
    }

    [Fact]
    public async Task A_batch_that_is_given_up_adds_nothing_and_can_be_sent_again()
    {
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var table = new UsageTable(source, NullLogger<UsageTable>.Instance);
        var batch = new UsageBatch();
        batch.Add(Record(Guid.NewGuid(), "done", 1));
        await using (var other = await source.OpenConnectionAsync(Cancel))
        await using (var held = await other.BeginTransactionAsync(Cancel))
        {
            await using var hold = new NpgsqlCommand("LOCK TABLE usage IN ACCESS EXCLUSIVE MODE", other, held);
            await hold.ExecuteNonQueryAsync(Cancel);
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            await Assert.ThrowsAnyAsync<Exception>(() => table.AddAsync(batch, patience.Token));
        }

        Assert.Equal(0, await table.AddAsync(batch, Cancel));

        Assert.Single(await RowsAsync(source));
    }

    private static byte[] Record(Guid id, string reason, decimal? usd, string? bot = null, bool firstContent = false)
    {
        var usage = new RequestUsage(
            new UsageJournal(TimeProvider.System),
            new UsageSubject(Guid.NewGuid(), Guid.NewGuid(), "req_1", "/v1/chat/completions", "model/name=\u00fc", bot), id,
            new DateTimeOffset(2026, 11, 21, 10, 30, 0, 123, TimeSpan.Zero).AddTicks(4_560));
        usage.Dispatch("gpt-4o", 12);
        usage.Add(new AttemptUsage("azure/gpt4o-eu", "gpt-4o", "ok", 3.04, 250.55, 100, 20, 5, 30, 7, false, usd));
        if (firstContent)
        {
            usage.SawContent();
            usage.BeginStep(bot!, 1, 1, "gpt-4o").Tools = ["search"];
        }

        // The workspace is one, so that rows can meet.
        var record = JournalRecord.End(usage, 200, reason, 512.25).ToArray();
        record.AsSpan(1, 16).Clear();
        return record;
    }

    private static async Task<List<string>> RowsAsync(NpgsqlDataSource source)
    {
        var rows = new List<string>();
        await using var command = source.CreateCommand("SELECT to_jsonb(u)::text FROM usage u ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        while (await reader.ReadAsync(Cancel))
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
