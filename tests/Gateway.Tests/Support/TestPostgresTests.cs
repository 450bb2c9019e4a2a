using Npgsql;

namespace Gateway.Tests.Support;

public sealed class TestPostgresTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_database_is_fresh_empty_and_UTF8()
    {
        var connections = await Task.WhenAll(postgres.CreateDatabaseAsync(cancel: Cancel), postgres.CreateDatabaseAsync(cancel: Cancel));

        Assert.NotEqual(connections[0], connections[1]);
        await using var database = NpgsqlDataSource.Create(connections[0]);
        await using var command = database.CreateCommand(
            "SELECT current_setting('server_encoding') || count(*) FROM pg_tables WHERE schemaname = 'public'");
        Assert.Equal("UTF80", await command.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task The_version_is_one_the_gateway_supports()
    {
        await using var connection = new NpgsqlConnection(await postgres.CreateDatabaseAsync("named_database", Cancel));
        await connection.OpenAsync(Cancel);

        Assert.InRange(connection.PostgreSqlVersion.Major, 15, 99);
    }
}
