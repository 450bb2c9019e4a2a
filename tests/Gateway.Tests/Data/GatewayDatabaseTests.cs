using System.Net;
using System.Net.Sockets;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Data;

public sealed class GatewayDatabaseTests(TestPostgres postgres)
{
    private readonly List<string> _said = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_own_defaults_hold_where_the_operator_says_nothing()
    {
        var given = await postgres.CreateDatabaseAsync(cancel: Cancel);

        await using var database = await OpenAsync(given);
        await using var own = await OpenAsync(given + ";Application Name=mine;Maximum Pool Size=7;Timeout=9");

        var completed = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var kept = new NpgsqlConnectionStringBuilder(own.ConnectionString);
        Assert.Equal(("gateway", 20, 5), (completed.ApplicationName, completed.MaxPoolSize, completed.Timeout));
        Assert.Equal(("mine", 7, 9), (kept.ApplicationName, kept.MaxPoolSize, kept.Timeout));
    }

    [Fact]
    public async Task A_wrong_password_a_missing_one_and_a_missing_database_are_refused_at_once()
    {
        var right = await postgres.CreateDatabaseAsync(cancel: Cancel);
        string[] wrong =
        [
            new NpgsqlConnectionStringBuilder(right) { Password = "wrong" }.ConnectionString,
            new NpgsqlConnectionStringBuilder(right) { Password = null }.ConnectionString,
            new NpgsqlConnectionStringBuilder(right) { Database = "nowhere" }.ConnectionString,
            new NpgsqlConnectionStringBuilder(right) { SslMode = SslMode.Require }.ConnectionString,
        ];

        foreach (var connectionString in wrong)
        {
            var refused = await Assert.ThrowsAsync<SettingsException>(() => OpenAsync(connectionString));
            Assert.Contains("ConnectionStrings__Gateway", refused.Message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(_said, line => line.StartsWith("waiting", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Host=a;Nonsense=b")]
    [InlineData("Host=a;Password=first;hunter2=rest")]
    [InlineData("Host=a;Password=first;hunter2")]
    [InlineData("Host=a;Port=hunter2")]
    public async Task A_connection_string_that_cannot_be_read_is_refused_and_not_repeated(string connectionString)
    {
        var refused = await Assert.ThrowsAsync<SettingsException>(() => OpenAsync(connectionString));

        Assert.Contains("ConnectionStrings__Gateway cannot be read. Expected keywords such as Host=", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_database_that_is_not_UTF8_is_refused()
    {
        var right = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using (var connection = new NpgsqlConnection(right))
        {
            await connection.OpenAsync(Cancel);
            await using var create = new NpgsqlCommand(
                "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", connection);
            await create.ExecuteNonQueryAsync(Cancel);
        }

        var refused = await Assert.ThrowsAsync<SettingsException>(
            () => OpenAsync(new NpgsqlConnectionStringBuilder(right) { Database = "latin" }.ConnectionString));

        Assert.Contains("LATIN1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("UTF8", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_comes_up_late_is_waited_for()
    {
        var right = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var port = FreePort.Next();
        var late = new NpgsqlConnectionStringBuilder(right.ConnectionString) { Port = port }.ConnectionString;
        using var stop = new CancellationTokenSource();

        var opening = OpenAsync(late);
        while (!opening.IsCompleted && !HasSaid("waiting up to 60 s"))
        {
            await Task.Delay(20, Cancel);
        }

        Assert.False(opening.IsCompleted);
        var forwarding = ForwardAsync(port, right.Port, stop.Token);
        await using (var database = await opening)
        {
            await using var connection = await database.Source.OpenConnectionAsync(Cancel);
        }

        await stop.CancelAsync();
        await forwarding;
    }

    [Fact]
    public async Task A_database_without_migrations_names_the_command_when_none_may_be_applied()
    {
        var connectionString = await postgres.CreateEmptyDatabaseAsync(Cancel);

        var command = await Assert.ThrowsAsync<SettingsException>(() => OpenAsync(connectionString, DatabaseUse.Command, migrate: false));
        var server = await Assert.ThrowsAsync<SettingsException>(() => OpenAsync(connectionString, DatabaseUse.Serve, migrate: false));

        Assert.Contains("gateway migrate", command.Message, StringComparison.Ordinal);
        Assert.Contains("Gateway__Migrate is false", server.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_that_start_on_an_empty_database_migrate_it_once()
    {
        var connectionString = await postgres.CreateEmptyDatabaseAsync(Cancel);

        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => OpenAsync(connectionString), Cancel)));

        await using var command = all[0].Source.CreateCommand("SELECT count(*) = count(DISTINCT \"MigrationId\") FROM \"__EFMigrationsHistory\"");
        Assert.Equal(true, await command.ExecuteScalarAsync(Cancel));
        foreach (var database in all)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Every_migration_is_in_the_list_of_those_that_a_start_looks_for()
    {
        await using var database = await OpenAsync(await postgres.CreateEmptyDatabaseAsync(Cancel));
        await using var db = database.NewContext();

        Assert.Equal(db.Database.GetMigrations(), MigrationIds.All);
        Assert.Equal(MigrationIds.All, await db.Database.GetAppliedMigrationsAsync(Cancel));
    }

    private bool HasSaid(string beginning)
    {
        lock (_said)
        {
            return _said.Exists(line => line.StartsWith(beginning, StringComparison.Ordinal));
        }
    }

    private Task<GatewayDatabase> OpenAsync(string connectionString, DatabaseUse use = DatabaseUse.Serve, bool migrate = true) =>
        GatewayDatabase.OpenAsync(
            new GatewaySettings { ConnectionString = connectionString }, use, migrate, TimeProvider.System,
            line =>
            {
                lock (_said)
                {
                    _said.Add(line);
                }
            },
            Cancel);

    /// <summary>Stands where a server will be, and carries its bytes.</summary>
    private static async Task ForwardAsync(int from, int to, CancellationToken stop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, from);
        listener.Start();
        try
        {
            while (true)
            {
                var near = await listener.AcceptTcpClientAsync(stop);
                var far = new TcpClient();
                await far.ConnectAsync(IPAddress.Loopback, to, stop);
                _ = near.GetStream().CopyToAsync(far.GetStream(), stop);
                _ = far.GetStream().CopyToAsync(near.GetStream(), stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
