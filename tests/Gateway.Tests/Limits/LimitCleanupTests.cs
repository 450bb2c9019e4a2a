using Gateway.Data;
using Gateway.Limits;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>What passed time leaves behind.</summary>
public sealed class LimitCleanupTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_of_passed_time_are_deleted_and_those_of_now_stay()
    {
        // Arrange: more than one statement takes, and two that are needed.
        var connectionString = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var database = NpgsqlDataSource.Create(connectionString);
        await ExecuteAsync(
            database,
            """
            INSERT INTO limit_windows (workspace_id, scope, subject, meter, starts_at, ends_at, trips)
            SELECT gen_random_uuid(), 0, 'k', 0, now() - interval '1 hour', now() - n * interval '11 minutes', 1 FROM generate_series(0, 1200) n
            """);
        await ExecuteAsync(
            database,
            """
            INSERT INTO limit_leases (workspace_id, scope, subject, meter, starts_at, ends_at, instance, report, spent, held)
            SELECT workspace_id, scope, subject, meter, starts_at, ends_at, gen_random_uuid(), 1, 1, 1 FROM limit_windows
            """);
        await ExecuteAsync(
            database, "INSERT INTO instances (id, seen_at) VALUES (gen_random_uuid(), now()), (gen_random_uuid(), now() - interval '2 days')");
        using var cleanup = new LimitCleanup(database, new DatabaseNews(TimeProvider.System), TimeProvider.System, NullLogger<LimitCleanup>.Instance);

        // Act
        await cleanup.RunAsync(Cancel);

        // Assert
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        Assert.Equal(1, await db.Set<LimitWindowRow>().CountAsync(Cancel));
        Assert.Equal(1, await db.Set<LimitLeaseRow>().CountAsync(Cancel));
        Assert.Equal(1, await db.Set<InstanceRow>().CountAsync(Cancel));
    }

    [Fact]
    public async Task A_report_that_comes_late_overwrites_nothing_newer()
    {
        // Arrange
        var connectionString = await LimitDesk.MakeDatabaseAsync(postgres, Cancel);
        await using var database = NpgsqlDataSource.Create(connectionString);
        var store = new LeaseStore(connectionString);
        using var pump = new LeasePump(store, new DatabaseNews(TimeProvider.System), TimeProvider.System, NullLogger<LeasePump>.Instance);
        var subject = new LimitSubject(new LimitOwner(Guid.NewGuid(), LimitScope.Key, "k"), pump, TimeProvider.System);
        var window = subject.Window(LimitMeter.TokensPerDay, 100);
        var newer = new LeaseAsk(window, 100, Spent: 60, Keep: 0, Smallest: 0, Wanted: 0, Slice: 0, Debt: 0);

        // Act
        store.Exchange([newer], report: 2, isSeen: true);
        store.Exchange([newer with { Spent = 10, Wanted = 5, Smallest = 5 }], report: 1, isSeen: true);

        // Assert
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        var lease = await db.Set<LimitLeaseRow>().SingleAsync(Cancel);
        Assert.Equal((60, 0, 2), (lease.Spent, lease.Held, lease.Report));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
