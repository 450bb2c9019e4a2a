using System.Net.Sockets;
using Gateway.Data.Embedded;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Data;

/// <summary>What a command does with the database, which decides whether one may be made or upgraded.</summary>
internal enum DatabaseUse
{
    /// <summary>The server: makes an embedded cluster when there is none, and stops it at the end.</summary>
    Serve,

    /// <summary>A command: uses what is there, running or not.</summary>
    Command,
}

/// <summary>
/// The opened database: the operator's own Postgres or the embedded one, migrated and checked. One per process.
/// </summary>
internal sealed class GatewayDatabase : IAsyncDisposable
{
    private const int OldestVersion = 15;

    /// <summary>Any number that nobody else is likely to take: "gateway" in ASCII.</summary>
    private const long MigrationLock = 0x67617465776179;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestMigration = TimeSpan.FromMinutes(10);

    private readonly EmbeddedPostgres? _embedded;

    private GatewayDatabase(EmbeddedPostgres? embedded, string connectionString)
    {
        _embedded = embedded;
        ConnectionString = connectionString;
        Source = new NpgsqlDataSourceBuilder(connectionString).Build();
    }

    public NpgsqlDataSource Source { get; }

    public string ConnectionString { get; }

    /// <summary>Opens, waits up to 60 s for the server, checks it and applies migrations.</summary>
    /// <param name="say">Takes progress lines for a person.</param>
    /// <exception cref="SettingsException">The database cannot be used; the message says the way on.</exception>
    public static async Task<GatewayDatabase> OpenAsync(
        GatewaySettings settings, DatabaseUse use, bool migrate, TimeProvider clock, Action<string> say,
        CancellationToken cancel)
    {
        var embedded = settings.ConnectionString.Length > 0
            ? null
            : await StartEmbeddedAsync(settings, use, clock, say, cancel);
        var database = new GatewayDatabase(embedded, Complete(embedded?.ConnectionString ?? settings.ConnectionString));
        // Some hundred milliseconds of work that needs no database: done while that is asked.
        _ = Task.Run(database.BuildModel, CancellationToken.None);
        try
        {
            await database.WaitAsync(clock, say, cancel);
            await database.CheckAsync(use, migrate, say, cancel);
            settings.ConnectionString = database.ConnectionString;
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>A context outside of dependency injection, for commands and the start.</summary>
    public GatewayDb NewContext() => new(Options(Source));

    public static DbContextOptions<GatewayDb> Options(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(source).Options;

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }
    }

    private static async Task<EmbeddedPostgres> StartEmbeddedAsync(
        GatewaySettings settings, DatabaseUse use, TimeProvider clock, Action<string> say, CancellationToken cancel)
    {
        try
        {
            return await EmbeddedPostgres.StartAsync(
                new EmbeddedPostgresOptions
                {
                    DataDirectory = settings.AbsoluteDataDirectory,
                    MayCreate = use == DatabaseUse.Serve,
                    OwnsLock = use == DatabaseUse.Serve,
                    Clock = clock,
                    Progress = say,
                },
                cancel);
        }
        catch (EmbeddedPostgresException refused)
        {
            throw new SettingsException(refused.Message);
        }
    }

    private static string Complete(string connectionString)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(connectionString);
            // The operator's own values win; these are for those that are not set. (ContainsKey says yes to every
            // keyword that there is.)
            if (!parts.ShouldSerialize("Application Name"))
            {
                parts.ApplicationName = "gateway";
            }

            if (!parts.ShouldSerialize("Maximum Pool Size"))
            {
                parts.MaxPoolSize = 20;
            }

            // Nothing here leaves a session other than it found it, so there is nothing to discard with each use of a connection.
            if (!parts.ShouldSerialize("No Reset On Close"))
            {
                parts.NoResetOnClose = true;
            }

            if (!parts.ShouldSerialize("Timeout"))
            {
                parts.Timeout = 5;
            }

            return parts.ConnectionString;
        }
        catch (ArgumentException)
        {
            // The driver's message may quote a piece of a password that was cut by a ';' of its own.
            throw new SettingsException(
                "ConnectionStrings__Gateway cannot be read. Expected keywords such as "
                + "Host=db;Port=5432;Database=gateway;Username=gateway;Password=…; a value with ';' or '=' in it goes in quotes.");
        }
    }

    private async Task WaitAsync(TimeProvider clock, Action<string> say, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var said = false;
        while (true)
        {
            try
            {
                await using var connection = await Source.OpenConnectionAsync(cancel);
                return;
            }
            // A wrong password, no such database, no TLS: waiting mends none of them.
            catch (NpgsqlException refused) when (!refused.IsTransient && !IsStarting(refused))
            {
                throw new SettingsException(
                    $"The database refuses ConnectionStrings__Gateway: {(refused as PostgresException)?.MessageText ?? refused.Message}.");
            }
            catch (Exception down) when (down is NpgsqlException or TimeoutException or SocketException)
            {
                if (clock.GetElapsedTime(started) > LongestWait)
                {
                    throw new SettingsException(
                        $"The database did not answer within {LongestWait.TotalSeconds:0} s: {down.Message}. "
                        + "Check ConnectionStrings__Gateway and that the server runs.");
                }

                if (!said)
                {
                    say($"waiting up to {LongestWait.TotalSeconds:0} s for the database: {down.Message}");
                    said = true;
                }

                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancel);
            }
        }
    }

    // 57P: shutting down, crashed a moment ago, not yet taking connections.
    private static bool IsStarting(NpgsqlException refused) =>
        refused.SqlState?.StartsWith("57P", StringComparison.Ordinal) == true;

    private void BuildModel()
    {
        using var db = NewContext();
        _ = db.Model;
    }

    private async Task CheckAsync(DatabaseUse use, bool migrate, Action<string> say, CancellationToken cancel)
    {
        int pending;
        await using (var connection = await Source.OpenConnectionAsync(cancel))
        {
            if (connection.PostgreSqlVersion.Major < OldestVersion)
            {
                throw new SettingsException(
                    $"The database is Postgres {connection.PostgreSqlVersion}; version {OldestVersion} or newer is needed.");
            }

            await using var ask = new NpgsqlCommand("SHOW server_encoding", connection);
            if (await ask.ExecuteScalarAsync(cancel) is not "UTF8" and var encoding)
            {
                throw new SettingsException(
                    $"The database's encoding is {encoding}; make one with ENCODING 'UTF8' and name it in ConnectionStrings__Gateway.");
            }

            pending = await CountPendingAsync(connection, cancel);
        }

        if (pending == 0)
        {
            return;
        }

        if (!migrate)
        {
            throw new SettingsException(
                use == DatabaseUse.Serve
                    ? $"The database lacks {pending} migration(s) and Gateway__Migrate is false. Run 'gateway migrate'."
                    : $"The database lacks {pending} migration(s). Run 'gateway migrate', or start the gateway.");
        }

        say($"applying {pending} migration(s)");
        await using var db = NewContext();
        // Of a large table, or behind another gateway that migrates: both take longer than a query of a request may.
        db.Database.SetCommandTimeout(LongestMigration);
        await using var others = await Source.OpenConnectionAsync(cancel);
        await using var turn = await others.BeginTransactionAsync(cancel);
        // EF Core's own lock ends with the first migration's transaction, and what is pending was read before it: of several
        // that start at once, one would apply the second migration again. Bound to a transaction, as poolers demand.
        await using (var wait = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({MigrationLock})", others, turn))
        {
            wait.CommandTimeout = (int)LongestMigration.TotalSeconds;
            await wait.ExecuteNonQueryAsync(cancel);
        }

        await db.Database.MigrateAsync(cancel);
    }

    private static async Task<int> CountPendingAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        try
        {
            await using var ask = new NpgsqlCommand(
                "SELECT count(*)::int FROM unnest($1) AS known WHERE known NOT IN (SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\")", connection)
            {
                Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. MigrationIds.All] } },
            };
            return (int)(await ask.ExecuteScalarAsync(cancel))!;
        }
        catch (PostgresException none) when (none.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return MigrationIds.All.Count;
        }
    }
}
