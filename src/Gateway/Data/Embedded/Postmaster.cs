using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Data.Embedded;

/// <summary>Starts, finds and stops the server of one cluster. Callers hold the start lock.</summary>
internal sealed class Postmaster(
    ClusterDirectory cluster, PostgresBinaries binaries, ServerProcess server, TimeProvider clock, Action<string>? progress)
{
    private const int PortAttempts = 5;
    private const long LargestLogBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeftoverLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    /// <summary>The running server of this cluster; null when there is none, whatever its file says.</summary>
    public async Task<PostmasterFile?> FindAsync(CancellationToken cancel) =>
        await PostmasterFile.ReadAsync(cluster.PostmasterFilePath, cancel) is { } file
        && await file.IsServingAsync(cluster.Path, cancel)
            ? file
            : null;

    /// <summary>As <see cref="FindAsync"/>, once the server found takes connections or has ended.</summary>
    public async Task<PostmasterFile?> FindReadyAsync(CancellationToken cancel)
    {
        var nextReport = TimeSpan.FromSeconds(1);
        var begun = clock.GetTimestamp();
        while (await FindAsync(cancel) is { } file)
        {
            if (file.IsReady)
            {
                return file;
            }

            if (clock.GetElapsedTime(begun) > nextReport)
            {
                nextReport += ReportInterval;
                progress?.Invoke($"Waiting for the database, which is {(file.Status.Length == 0 ? "starting" : file.Status)}…");
            }

            await Task.Delay(PollInterval, clock, cancel);
        }

        return null;
    }

    /// <summary>Starts the server and returns when it takes connections, however long a recovery takes.</summary>
    /// <param name="onlyPort">The port it must have. Null: that of the last start, or if it is taken any free one.</param>
    /// <returns>The port.</returns>
    public async Task<int> StartAsync(int? onlyPort, CancellationToken cancel)
    {
        if (File.Exists(cluster.PostmasterFilePath))
        {
            progress?.Invoke("The database was not shut down cleanly; recovering…");
            await PostmasterFile.MarkAsLeftoverAsync(cluster.PostmasterFilePath, cancel);
        }

        var port = onlyPort ?? await cluster.ReadPortAsync(cancel) ?? FreePort();
        var begun = clock.GetTimestamp();
        var ports = 1;
        while (true)
        {
            var (isStarted, log) = await TryStartAsync(port, cancel);
            if (isStarted)
            {
                await cluster.WritePortAsync(port, cancel);
                return port;
            }

            if (log.Contains("shared memory block", StringComparison.Ordinal) && clock.GetElapsedTime(begun) < LeftoverLimit)
            {
                // The processes of a killed server end by themselves, most within a second.
                await Task.Delay(PollInterval * 5, clock, cancel);
            }
            else if (onlyPort is null && ports++ < PortAttempts && log.Contains("could not bind", StringComparison.Ordinal))
            {
                port = FreePort();
            }
            else
            {
                throw new EmbeddedPostgresException(
                    cluster.Explain($"The database in '{cluster.Path}' did not start (its log: '{cluster.LogFile}')", log));
            }
        }
    }

    /// <summary>Ends all connections and stops. A server that needs longer than the limit goes on stopping by itself.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        var seconds = ((int)StopLimit.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var stopped = await server.RunAsync(
            binaries.Program("pg_ctl"), ["-D", cluster.Path, "-m", "fast", "-w", "-t", seconds, "stop"], cancel);
        if (stopped.ExitCode != 0 && await FindAsync(cancel) is { } file)
        {
            progress?.Invoke($"The database (process {file.Pid}) is still stopping after {seconds} s; leaving it to finish.");
        }
    }

    private async Task<(bool IsStarted, string Log)> TryStartAsync(int port, CancellationToken cancel)
    {
        var logStart = await PrepareLogAsync(cancel);
        var settings = string.Create(
            CultureInfo.InvariantCulture,
            $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 ")
            + "-c logging_collector=off -c log_destination=stderr";
        // Long waits are this loop's to report and the caller's to cancel, so pg_ctl's own limit is out of reach: a day.
        var starting = server.RunAsync(binaries.Program("pg_ctl"),
            ["-D", cluster.Path, "-l", cluster.LogFile, "-w", "-t", "86400", "-o", settings, "start"], cancel);
        while (await Task.WhenAny(starting, Task.Delay(ReportInterval, clock, CancellationToken.None)) != starting)
        {
            progress?.Invoke("Still waiting for the database to start…");
        }

        try
        {
            var started = await starting;
            return (started.ExitCode == 0, await ReadLogAsync(logStart, started.Output));
        }
        catch (OperationCanceledException)
        {
            // The interrupted pg_ctl has told the server to stop; wait, so that nobody finds it half gone.
            await StopAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Makes sure that the server's user can write the log. Returns where this start's part of it begins.</summary>
    private async Task<long> PrepareLogAsync(CancellationToken cancel)
    {
        if (new FileInfo(cluster.LogFile) is { Exists: true, Length: > LargestLogBytes })
        {
            File.Move(cluster.LogFile, cluster.LogFile + ".1", overwrite: true);
        }

        long length;
        await using (var log = UnixFiles.OpenPrivate(cluster.LogFile, FileMode.OpenOrCreate, FileShare.ReadWrite))
        {
            length = log.Length;
        }

        await ServerUser.GiveAsync(server, cluster.LogFile, cancel);
        return length;
    }

    private async Task<string> ReadLogAsync(long start, string otherwise)
    {
        await using var log = new FileStream(cluster.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = Math.Min(start, log.Length);
        using var reader = new StreamReader(log, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(CancellationToken.None);
        return text.Length == 0 ? otherwise : text;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
