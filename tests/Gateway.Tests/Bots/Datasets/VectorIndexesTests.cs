using Gateway.Bots.Datasets;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>What needs several connections, which the database with the extension does not take: one here has but the table.</summary>
public sealed class VectorIndexesTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_index_waits_for_what_another_gateway_does_to_the_table()
    {
        // Arrange: another gateway makes an index.
        await using var source = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await using var other = await source.OpenConnectionAsync(Cancel);
        await RunAsync(other, "CREATE TABLE chunk_vectors (dataset_id uuid, embedding text)");
        await using var building = await other.BeginTransactionAsync(Cancel);
        await RunAsync(other, "LOCK TABLE chunk_vectors IN SHARE UPDATE EXCLUSIVE MODE");
        var clock = new HurriedTime();
        var indexes = new VectorIndexes(source, clock, NullLogger<VectorIndexes>.Instance);

        // Act
        var making = indexes.EnsureAsync(new DatasetScope(Guid.NewGuid(), Guid.NewGuid()), 8, Cancel);

        // Assert
        await using (var connection = await source.OpenConnectionAsync(Cancel))
        {
            Assert.True(await VectorIndexes.IsBusyAsync(connection, Cancel));
            await clock.ThirdWait.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
            Assert.False(making.IsCompleted);
            await building.RollbackAsync(Cancel);
        }

        // As far as a database without the extension comes, and not before.
        Assert.Equal(PostgresErrorCodes.UndefinedFunction, (await Assert.ThrowsAsync<PostgresException>(() => making)).SqlState);
    }

    /// <summary>Waits are over at once, and counted.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        private int _waits;

        public TaskCompletionSource ThirdWait { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (Interlocked.Increment(ref _waits) == 3)
            {
                ThirdWait.SetResult();
            }

            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
