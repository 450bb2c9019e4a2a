using System.Globalization;
using System.Security.Cryptography;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace Gateway.Tests.Support;

/// <summary>
/// One real PostgreSQL server for the whole test run, started by the first test that asks for a database and deleted at
/// the end. Without the server's binaries those tests fail; they never skip.
/// </summary>
public sealed class TestPostgres : IAsyncLifetime
{
    private const string Migrated = "migrated";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    // The server dies with the test process however that ends: a closed pipe is noticed even after SIGKILL.
    private const string Guard =
        """trap '' INT TERM; "$@" & server=$!; cat > /dev/null; kill -QUIT "$server"; wait "$server" """;

    private readonly SemaphoreSlim _starting = new(1);
    private readonly SemaphoreSlim _migrating = new(1);
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    private ChildProcess? _server;
    private string? _folder;
    private int _port;
    private int _databases;
    private bool _isMigrated;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// Makes a fresh database with all migrations applied and no row, and answers with its connection string. It is a copy
    /// of one that was migrated once, which takes a gateway's start half a second less. May be called concurrently.
    /// </summary>
    /// <param name="name">Lower case letters, digits and underscores; made up when null.</param>
    public async Task<string> CreateDatabaseAsync(string? name = null, CancellationToken cancel = default)
    {
        await EnsureMigratedAsync(cancel);
        return await CreateAsync(name, Migrated, cancel);
    }

    /// <summary>Makes a fresh database without any table, for tests of who migrates. May be called concurrently.</summary>
    public async Task<string> CreateEmptyDatabaseAsync(CancellationToken cancel)
    {
        await EnsureStartedAsync(cancel);
        return await CreateAsync(null, "template1", cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Input.Close();
            await _server.WaitAsync(TimeSpan.FromSeconds(20));
            await _server.DisposeAsync();
        }

        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }

        _starting.Dispose();
        _migrating.Dispose();
    }

    /// <summary>The folder of <c>initdb</c> and <c>postgres</c>, the newest version first.</summary>
    public static string FindBinaries()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator);
        string[] usual = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];
        var packaged = usual.Where(Directory.Exists).SelectMany(Directory.GetDirectories)
            .OrderByDescending(folder => folder, StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering))
            .Select(folder => Path.Combine(folder, "bin"));

        return packaged.Concat(path).FirstOrDefault(folder =>
                File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")))
            ?? throw new InvalidOperationException(
                "These tests need a real PostgreSQL server and found no 'initdb' and 'postgres', neither in PATH nor " +
                $"below {string.Join(", ", usual)}. Install it (Debian, Ubuntu: apt-get install postgresql).");
    }

    private async Task<string> CreateAsync(string? name, string template, CancellationToken cancel)
    {
        name ??= string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await using var connection = new NpgsqlConnection(ConnectionString("postgres", pooling: false));
        await connection.OpenAsync(cancel);
        await using var create = connection.CreateCommand();
        create.CommandText = $"CREATE DATABASE \"{name}\" TEMPLATE {template}";
        await create.ExecuteNonQueryAsync(cancel);

        return ConnectionString(name, pooling: true);
    }

    private async Task EnsureMigratedAsync(CancellationToken cancel)
    {
        await EnsureStartedAsync(cancel);
        await _migrating.WaitAsync(cancel);
        try
        {
            if (!_isMigrated)
            {
                await CreateAsync(Migrated, "template1", cancel);
                // Without a pool, whose connection would forbid to copy.
                await using var db = new GatewayDb(
                    new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(ConnectionString(Migrated, pooling: false)).Options);
                await db.Database.MigrateAsync(cancel);
                _isMigrated = true;
            }
        }
        finally
        {
            _migrating.Release();
        }
    }

    private async Task EnsureStartedAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            if (_server is null)
            {
                await StartAsync(cancel);
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        var binaries = FindBinaries();
        _folder ??= Directory.CreateTempSubdirectory("gateway-test-postgres-").FullName;
        var data = Path.Combine(_folder, "data");
        var passwordFile = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(passwordFile, _password, cancel);
        string[] unprivileged = [];
        if (Environment.IsPrivilegedProcess)
        {
            // The server refuses to run as root; its packages bring the user.
            unprivileged = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
            await MustRunAsync(["chown", "-R", "postgres:postgres", _folder], cancel);
        }

        await MustRunAsync(
            [.. unprivileged, Path.Combine(binaries, "initdb"), "--pgdata", data, "--username=postgres",
                "--pwfile", passwordFile, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            cancel);

        _port = FreePort.Next();
        // Nothing here outlives the run, so nothing waits for the disk.
        string[] settings =
            ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB",
                "listen_addresses=127.0.0.1", "unix_socket_directories=",
                string.Create(CultureInfo.InvariantCulture, $"port={_port}")];
        _server = ChildProcess.Start("sh",
            ["-c", Guard, "postgres", .. unprivileged, Path.Combine(binaries, "postgres"), "-D", data,
                .. settings.SelectMany(setting => new[] { "-c", setting })],
            workingDirectory: _folder);
        await WaitUntilItAnswersAsync(cancel);
    }

    private async Task WaitUntilItAnswersAsync(CancellationToken cancel)
    {
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromMilliseconds(50))
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString("postgres", pooling: false));
                await connection.OpenAsync(cancel);
                return;
            }
            catch (NpgsqlException) when (!_server!.HasExited && waited < StartLimit)
            {
                await Task.Delay(50, cancel);
            }
            catch (NpgsqlException e)
            {
                throw new InvalidOperationException($"The PostgreSQL server of the tests did not start.\n{_server!.LastWords}", e);
            }
        }
    }

    private string ConnectionString(string database, bool pooling) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _port,
        Username = "postgres",
        Password = _password,
        Database = database,
        Pooling = pooling,
    }.ConnectionString;

    private async Task MustRunAsync(string[] command, CancellationToken cancel)
    {
        var result = await ChildProcess.RunAsync(command[0], command[1..], StartLimit, workingDirectory: _folder, cancel: cancel);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: {result}");
        }
    }
}
