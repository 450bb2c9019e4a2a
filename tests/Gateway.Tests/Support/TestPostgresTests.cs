using Gateway.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Support;

public sealed class TestPostgresTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_database_is_fresh_migrated_and_UTF8()
    {
        var connections = await Task.WhenAll(postgres.CreateDatabaseAsync(cancel: Cancel), postgres.CreateDatabaseAsync(cancel: Cancel));

        Assert.NotEqual(connections[0], connections[1]);
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connections[0]).Options);
        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancel));
        Assert.Empty(await db.Workspaces.ToListAsync(Cancel));
        Assert.Equal("UTF8", await AskAsync(connections[0], "SELECT current_setting('server_encoding')"));
    }

    [Fact]
    public async Task An_empty_database_has_no_tables()
    {
        var connection = await postgres.CreateEmptyDatabaseAsync(Cancel);

        Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Fact]
    public async Task The_version_is_one_the_gateway_supports()
    {
        await using var connection = new NpgsqlConnection(await postgres.CreateDatabaseAsync("named_database", Cancel));
        await connection.OpenAsync(Cancel);

        Assert.InRange(connection.PostgreSqlVersion.Major, 15, 99);
    }

    private static async Task<object?> AskAsync(string connection, string sql)
    {
        await using var database = NpgsqlDataSource.Create(connection);
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
