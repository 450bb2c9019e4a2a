using System.Globalization;
using Npgsql;

namespace Gateway.Tests.Support;

/// <summary>A real pgvector: Postgres with the extension in WebAssembly, in a Node child. It takes one connection at a time.</summary>
internal sealed class PgVector : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    private readonly ChildProcess _server;

    private PgVector(ChildProcess server, int port)
    {
        _server = server;
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Password = "postgres",
            Database = "postgres",
            MaxPoolSize = 1,
            Timeout = 300,
            CommandTimeout = 300,
            SslMode = SslMode.Disable,
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    public static async Task<PgVector> StartAsync(CancellationToken cancel)
    {
        await Node.EnsureReadyAsync(cancel);
        var port = FreePort.Next();
        var started = new TaskCompletionSource();
        var server = ChildProcess.Start(
            "node", ["pglite.mjs"], new Dictionary<string, string> { ["PGLITE_PORT"] = port.ToString(CultureInfo.InvariantCulture) }, Node.Folder,
            _ => started.TrySetResult());
        try
        {
            await started.Task.WaitAsync(StartLimit, cancel);
            return new PgVector(server, port);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"PGlite did not start.\n{server.LastWords}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _server.Input.Close();
        await _server.WaitAsync(TimeSpan.FromSeconds(20));
        await _server.DisposeAsync();
    }
}
