using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Data.Embedded;
using Npgsql;

namespace Gateway.Tests.Data.Embedded;

/// <summary>A data directory that is gone after the test, with whatever server still runs in it.</summary>
internal sealed class DataDirectoryForTest : IAsyncDisposable
{
    private readonly List<string> _progress = [];

    public string Path { get; } = Directory.CreateTempSubdirectory("gateway-test-").FullName;

    /// <summary>With what people have in their paths.</summary>
    public string Data { get; }

    public ClusterDirectory Cluster => new(Data);

    public IReadOnlyList<string> Progress
    {
        get
        {
            lock (_progress)
            {
                return [.. _progress];
            }
        }
    }

    public DataDirectoryForTest()
    {
        Data = System.IO.Path.Combine(Path, "Jürgen's data");
        if (!OperatingSystem.IsWindows())
        {
            // The server's user has to pass through.
            File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        }
    }

    public Task<EmbeddedPostgres> ServeAsync() => StartAsync(isOwner: true, TestContext.Current.CancellationToken);

    public Task<EmbeddedPostgres> ServeUnlessAsync(CancellationToken cancel) => StartAsync(isOwner: true, cancel);

    public Task<EmbeddedPostgres> CommandAsync() => StartAsync(isOwner: false, TestContext.Current.CancellationToken);

    /// <summary>Leaves a server behind as a gateway does that was killed: running, and nobody holds a lock.</summary>
    public async Task<int> StartOrphanAsync()
    {
        var (binaries, server) = await ToolsAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var settings = string.Create(
            CultureInfo.InvariantCulture, $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=");
        await server.RequireAsync(binaries.Program("pg_ctl"),
            ["-D", Cluster.Path, "-l", Cluster.LogFile, "-w", "-o", settings, "start"], CancellationToken.None);
        return (await PidAsync())!.Value;
    }

    /// <summary>The running server's process; null when none runs.</summary>
    public async Task<int?> PidAsync() =>
        await PostmasterFile.ReadAsync(Cluster.PostmasterFilePath, CancellationToken.None) is { } file
        && await file.IsServingAsync(Cluster.Path, CancellationToken.None)
            ? file.Pid
            : null;

    public async Task KillServerAsync()
    {
        using var process = Process.GetProcessById((await PidAsync())!.Value);
        process.Kill();
        await process.WaitForExitAsync();
    }

    public static async Task<T> ScalarAsync<T>(EmbeddedPostgres postgres, string sql)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        if (await PidAsync() is not null)
        {
            var (binaries, server) = await ToolsAsync();
            await server.RequireAsync(
                binaries.Program("pg_ctl"), ["-D", Cluster.Path, "-m", "immediate", "-w", "stop"], CancellationToken.None);
        }

        Directory.Delete(Path, recursive: true);
    }

    private async Task<(PostgresBinaries Binaries, ServerProcess Server)> ToolsAsync() => (
        PostgresBinaries.Choose(await PostgresBinaries.FindAllAsync(CancellationToken.None), null, Cluster.Path),
        await ServerUser.ChooseAsync(Cluster, CancellationToken.None));

    private Task<EmbeddedPostgres> StartAsync(bool isOwner, CancellationToken cancel) => EmbeddedPostgres.StartAsync(
        new EmbeddedPostgresOptions
        {
            DataDirectory = Data,
            MayCreate = isOwner,
            OwnsLock = isOwner,
            Progress = line =>
            {
                lock (_progress)
                {
                    _progress.Add(line);
                }
            },
        },
        cancel);
}
