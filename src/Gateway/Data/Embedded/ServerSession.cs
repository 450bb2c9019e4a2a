using Npgsql;

namespace Gateway.Data.Embedded;

/// <summary>
/// One process' use of the shared server: found running or started when it joins, stopped by the last one that leaves.
/// </summary>
internal sealed class ServerSession
{
    private const string Database = "gateway";

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestartByOthersLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(15);

    private readonly EmbeddedPostgresOptions _options;
    private readonly ClusterDirectory _cluster;
    private readonly Postmaster _postmaster;
    private readonly DirectoryLock _use;
    private readonly int _port;

    private ServerSession(
        EmbeddedPostgresOptions options, ClusterDirectory cluster, Postmaster postmaster, DirectoryLock use, int port) =>
        (_options, _cluster, _postmaster, _use, _port) = (options, cluster, postmaster, use, port);

    public required string ConnectionString { get; init; }

    /// <summary>Makes the cluster if need be and allowed, starts the server if nobody else has, and joins its users.</summary>
    public static async Task<ServerSession> JoinAsync(
        EmbeddedPostgresOptions options, ClusterDirectory cluster, ServerProcess server, CancellationToken cancel)
    {
        var begun = options.Clock.GetTimestamp();
        while (options.Clock.GetElapsedTime(begun) < RestartByOthersLimit)
        {
            if (await TryJoinAsync(options, cluster, server, cancel) is { } session)
            {
                return session;
            }

            await Task.Delay(RetryInterval, options.Clock, cancel);
        }

        // Starting a second server beside one in another container, whose processes are invisible here, would ruin the data.
        throw new EmbeddedPostgresException(
            $"The database in '{cluster.Path}' is in use, but its server is not among the processes of this machine or container. "
            + "Run the command where the gateway runs (in its container: docker compose exec), or stop that gateway.");
    }

    /// <summary>Starts the server again on its old port if it has died. True when it had.</summary>
    public async Task<bool> RestartIfDownAsync(CancellationToken cancel)
    {
        if (await _postmaster.FindAsync(cancel) is not null)
        {
            return false;
        }

        using var start = await DirectoryLock.TakeAsync(_cluster.StartLock, _options.Progress, _options.Clock, cancel);
        if (await _postmaster.FindReadyAsync(cancel) is not null)
        {
            return false;
        }

        _options.Progress?.Invoke("The database server is gone; starting it again…");
        await _postmaster.StartAsync(_port, cancel);
        _options.Progress?.Invoke("The database server is running again.");
        return true;
    }

    /// <summary>Leaves, and stops the server unless somebody else uses it. Takes about 30 s at most, and throws nothing.</summary>
    public async Task LeaveAsync()
    {
        using var limit = new CancellationTokenSource(LeaveLimit, _options.Clock);
        try
        {
            using var start = await DirectoryLock.TakeAsync(_cluster.StartLock, progress: null, _options.Clock, limit.Token);
            await LeaveUnderStartLockAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or EmbeddedPostgresException)
        {
            _options.Progress?.Invoke($"The database in '{_cluster.Path}' was left running: {e.Message}");
        }
        finally
        {
            _use.Dispose();
        }
    }

    /// <summary>
    /// Null when others use the server but it does not run here: one of them is about to start it again, or it is elsewhere.
    /// </summary>
    private static async Task<ServerSession?> TryJoinAsync(
        EmbeddedPostgresOptions options, ClusterDirectory cluster, ServerProcess server, CancellationToken cancel)
    {
        using var start = await DirectoryLock.TakeAsync(cluster.StartLock, options.Progress, options.Clock, cancel);

        var binaries = await EnsureClusterAsync(options, cluster, server, cancel);
        var password = await cluster.ReadPasswordAsync(cancel);
        var postmaster = new Postmaster(cluster, binaries, server, options.Clock, options.Progress);

        int? port;
        using (var alone = DirectoryLock.TryTake(cluster.UsersLock, isShared: false))
        {
            port = (await postmaster.FindReadyAsync(cancel))?.Port;
            if (port is null && alone is not null)
            {
                port = await postmaster.StartAsync(onlyPort: null, cancel);
            }
        }

        if (port is null || DirectoryLock.TryTake(cluster.UsersLock, isShared: true) is not { } use)
        {
            return null;
        }

        var session = new ServerSession(options, cluster, postmaster, use, port.Value)
        {
            ConnectionString = Describe(port.Value, password, Database),
        };
        try
        {
            await EnsureDatabaseAsync(cluster, Describe(port.Value, password, "postgres"), cancel);
            return session;
        }
        catch
        {
            await session.LeaveUnderStartLockAsync();
            throw;
        }
    }

    private static async Task<PostgresBinaries> EnsureClusterAsync(
        EmbeddedPostgresOptions options, ClusterDirectory cluster, ServerProcess server, CancellationToken cancel)
    {
        int? major = cluster.Exists() ? await cluster.ReadMajorAsync(cancel) : null;
        var binaries = PostgresBinaries.Choose(await PostgresBinaries.FindAllAsync(cancel), major, cluster.Path);
        if (major is null)
        {
            options.Progress?.Invoke($"Creating the database in '{cluster.Path}' (PostgreSQL {binaries.Version})…");
            await cluster.CreateAsync(binaries, server, cancel);
        }

        return binaries;
    }

    private static async Task EnsureDatabaseAsync(ClusterDirectory cluster, string maintenance, CancellationToken cancel)
    {
        try
        {
            await using var connection = new NpgsqlConnection(maintenance);
            await connection.OpenAsync(cancel);
            await using var look = new NpgsqlCommand($"SELECT 1 FROM pg_database WHERE datname = '{Database}'", connection);
            if (await look.ExecuteScalarAsync(cancel) is null)
            {
                await using var create = new NpgsqlCommand(
                    $"CREATE DATABASE {Database} ENCODING 'UTF8' TEMPLATE template0", connection);
                await create.ExecuteNonQueryAsync(cancel);
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            throw new EmbeddedPostgresException(
                $"The database in '{cluster.Path}' does not take the password in '{cluster.PasswordFile}'. "
                + "Restore that file from a backup of the same data directory.", e);
        }
        catch (NpgsqlException e)
        {
            throw new EmbeddedPostgresException(
                $"The database in '{cluster.Path}' runs but does not answer (its log: '{cluster.LogFile}'): {e.Message}", e);
        }
    }

    // The server listens on loopback alone, so neither TLS nor Kerberos has anything to add.
    private static string Describe(int port, string password, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = ClusterDirectory.SuperUser,
        Password = password,
        Database = database,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Pooling = database == Database,
    }.ConnectionString;

    private async Task LeaveUnderStartLockAsync()
    {
        _use.Dispose();
        using var alone = DirectoryLock.TryTake(_cluster.UsersLock, isShared: false);
        if (alone is not null)
        {
            await _postmaster.StopAsync(CancellationToken.None);
        }
    }
}
