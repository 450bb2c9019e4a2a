using System.Globalization;
using System.Security.Cryptography;
using Gateway.Benchmarks.Processes;
using Npgsql;

namespace Gateway.Benchmarks.Systems;

/// <summary>
/// A PostgreSQL server for the benchmark alone, with the settings it comes with: what a gateway writes is on disk as it would
/// be elsewhere. Counts statements with <c>pg_stat_statements</c>.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    // The server dies with the benchmark however that ends: a closed pipe is noticed even after SIGKILL.
    private const string Guard =
        """trap '' INT TERM; "$@" & server=$!; cat > /dev/null; kill -INT "$server"; wait "$server" """;

    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(60);

    private readonly OwnProcess _process;
    private readonly int _port;
    private readonly string _password;

    private PostgresServer(OwnProcess process, int port, string password)
    {
        _process = process;
        _port = port;
        _password = password;
    }

    /// <param name="folder">An empty one; made the server's own when the benchmark runs as root, as which no server starts.</param>
    /// <param name="binaries">Where <c>initdb</c> and <c>postgres</c> are.</param>
    public static async Task<PostgresServer> StartAsync(string folder, string binaries, CancellationToken cancel)
    {
        var home = Directory.CreateDirectory(Path.Combine(folder, "postgres")).FullName;
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var passwordFile = Path.Combine(home, "password");
        await File.WriteAllTextAsync(passwordFile, password, cancel);
        string[] unprivileged = [];
        if (Environment.IsPrivilegedProcess)
        {
            // The server's packages bring the user.
            unprivileged = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
            await OwnProcess.RunAsync(["chown", "-R", "postgres:postgres", home], CommandLimit, cancel);
        }

        var data = Path.Combine(home, "data");
        await OwnProcess.RunAsync(
            [.. unprivileged, Path.Combine(binaries, "initdb"), "--pgdata", data, "--username=postgres", "--pwfile", passwordFile,
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            CommandLimit, cancel);

        var port = FreePort.Next();
        string[] settings =
            ["max_connections=200", "listen_addresses=127.0.0.1", "unix_socket_directories=",
                "shared_preload_libraries=pg_stat_statements", string.Create(CultureInfo.InvariantCulture, $"port={port}")];
        var process = OwnProcess.Start("postgres", folder,
            ["sh", "-c", Guard, "postgres", .. unprivileged, Path.Combine(binaries, "postgres"), "-D", data,
                .. settings.SelectMany(setting => new[] { "-c", setting })]);
        var server = new PostgresServer(process, port, password);
        await server.WaitAsync(cancel);
        await server.ExecuteAsync("postgres", "CREATE EXTENSION pg_stat_statements", cancel);
        return server;
    }

    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _port,
        Username = "postgres",
        Password = _password,
        Database = database,
    }.ConnectionString;

    /// <summary>Makes a database as a copy of another.</summary>
    public Task CreateDatabaseAsync(string name, string template, CancellationToken cancel) =>
        ExecuteAsync("postgres", $"CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"", cancel);

    public async Task ExecuteAsync(string database, string sql, CancellationToken cancel) => await ScalarAsync(database, sql, cancel);

    /// <summary>The first column of the first row; null when there is none.</summary>
    public async Task<object?> ScalarAsync(string database, string sql, CancellationToken cancel)
    {
        await using var connection = await OpenAsync(database, cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancel);
    }

    /// <summary>Begins to count the statements of a database's clients anew.</summary>
    public Task ForgetStatementsAsync(string database, CancellationToken cancel) => ExecuteAsync(
        "postgres", $"SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = '{database}'", cancel);

    /// <summary>What clients of a database executed since it was forgotten, BEGIN and COMMIT among it; the most frequent first.</summary>
    public async Task<IReadOnlyList<(string Text, long Calls)>> StatementsAsync(string database, CancellationToken cancel)
    {
        const string Query =
            """
            SELECT regexp_replace(s.query, '\s+', ' ', 'g'), sum(s.calls)::bigint
            FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE s.toplevel AND d.datname = $1 GROUP BY 1 ORDER BY 2 DESC
            """;
        await using var connection = await OpenAsync("postgres", cancel);
        await using var command = new NpgsqlCommand(Query, connection) { Parameters = { new() { Value = database } } };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var statements = new List<(string, long)>();
        while (await rows.ReadAsync(cancel))
        {
            statements.Add((rows.GetString(0), rows.GetInt64(1)));
        }

        return statements;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<NpgsqlConnection> OpenAsync(string database, CancellationToken cancel)
    {
        // Without a pool, whose connection would forbid to copy the database.
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString(database)) { Pooling = false, CommandTimeout = 300 };
        var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(cancel);
        return connection;
    }

    private async Task WaitAsync(CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await ExecuteAsync("postgres", "SELECT 1", cancel);
                return;
            }
            catch (NpgsqlException broken) when (_process.HasExited || tries > 600)
            {
                throw new InvalidOperationException($"The PostgreSQL server did not start.\n{_process.LastWords}", broken);
            }
            catch (NpgsqlException)
            {
                await Task.Delay(100, cancel);
            }
        }
    }
}
