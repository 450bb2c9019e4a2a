namespace Gateway.Data.Embedded;

/// <summary>
/// The database of a gateway that was given none: the machine's own Postgres on a cluster in the data directory.
/// All gateway processes of one directory share one server; the last one to leave stops it.
/// </summary>
internal sealed class EmbeddedPostgres : IAsyncDisposable
{
    private static readonly TimeSpan SuperviseInterval = TimeSpan.FromSeconds(2);

    private readonly EmbeddedPostgresOptions _options;
    private readonly ServerSession _session;
    private readonly DirectoryLock? _ownership;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _supervision;
    private int _isDisposed;

    private EmbeddedPostgres(EmbeddedPostgresOptions options, ServerSession session, DirectoryLock? ownership)
    {
        _options = options;
        _session = session;
        _ownership = ownership;
        _supervision = ownership is null ? Task.CompletedTask : SuperviseAsync(_stopping.Token);
    }

    /// <summary>In Npgsql's form, with the password. The same for as long as this instance lives.</summary>
    public string ConnectionString => _session.ConnectionString;

    /// <summary>
    /// Finds the directory's server or starts it, and returns when it takes connections, with the database
    /// <c>gateway</c> in it. Throws <see cref="EmbeddedPostgresException"/> for all that the operator has to see to.
    /// </summary>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, CancellationToken cancel)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new EmbeddedPostgresException(
                "The embedded database does not run on Windows. Set ConnectionStrings__Gateway to a Postgres server.");
        }

        try
        {
            return await OpenAsync(options, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException(
                $"The data directory '{options.DataDirectory}' cannot be used by user '{Environment.UserName}': {e.Message} "
                + "Set Gateway__DataDirectory to another directory, or start the gateway as the user to whom it belongs.", e);
        }
    }

    /// <summary>
    /// Starts a server that has died again, on its old port. The owner does so by itself every two seconds; may be
    /// called at any time, also concurrently.
    /// </summary>
    /// <returns>True when it was down.</returns>
    public Task<bool> RestartIfDownAsync(CancellationToken cancel) => _session.RestartIfDownAsync(cancel);

    /// <summary>Leaves the server; stops it if nobody else uses it. Takes about 30 s at most. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _supervision;
        _stopping.Dispose();
        await _session.LeaveAsync();
        _ownership?.Dispose();
    }

    private static async Task<EmbeddedPostgres> OpenAsync(EmbeddedPostgresOptions options, CancellationToken cancel)
    {
        var cluster = new ClusterDirectory(options.DataDirectory);
        if (cluster.Data.AsSpan().IndexOfAny("\"$`\\\n") >= 0)
        {
            // pg_ctl starts the server by a shell line and leaves these as they are.
            throw new EmbeddedPostgresException(
                $"The data directory '{cluster.Data}' has a character in its path that Postgres' start cannot take "
                + "(one of \" $ ` \\ or a line end). Set Gateway__DataDirectory to another directory.");
        }

        if (!cluster.Exists() && !options.MayCreate)
        {
            throw new EmbeddedPostgresException(
                $"There is no database in '{cluster.Path}'. Start the gateway once, which makes one, or name the right place: "
                + "Gateway__DataDirectory for its data directory, ConnectionStrings__Gateway for a server that runs elsewhere.");
        }

        var server = await ServerUser.ChooseAsync(cluster, cancel);
        await ServerUser.RequireEntryAsync(server, cluster.Data, cancel);
        if (!Directory.Exists(cluster.Data))
        {
            UnixFiles.CreateDirectory(cluster.Data, isPassable: server.User is not null);
            // Once more: a strict umask may have taken away what was asked for.
            await ServerUser.RequireEntryAsync(server, cluster.Data, cancel);
        }

        UnixFiles.CreateDirectory(cluster.LocksDirectory, isPassable: false);

        var ownership = options.OwnsLock ? TakeOwnership(cluster) : null;
        try
        {
            return new EmbeddedPostgres(
                options, await ServerSession.JoinAsync(options, cluster, server, cancel), ownership);
        }
        catch
        {
            ownership?.Dispose();
            throw;
        }
    }

    private static DirectoryLock TakeOwnership(ClusterDirectory cluster) =>
        DirectoryLock.TryTake(cluster.OwnerLock, isShared: false)
        ?? throw new EmbeddedPostgresException(
            $"Another gateway is running on the data directory '{cluster.Data}'. Stop it first, or set "
            + "Gateway__DataDirectory to another directory. (To run several gateways on one database, give them all the same "
            + "ConnectionStrings__Gateway.)");

    private async Task SuperviseAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(SuperviseInterval, _options.Clock);
        string? reported = null;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(cancel);
                await _session.RestartIfDownAsync(cancel);
                reported = null;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is EmbeddedPostgresException or IOException or UnauthorizedAccessException)
            {
                // Tried again at the next tick; the same trouble is said once.
                if (e.Message != reported)
                {
                    reported = e.Message;
                    _options.Progress?.Invoke(e.Message);
                }
            }
        }
    }
}
