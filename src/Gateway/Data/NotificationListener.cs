using Gateway.Observability;
using Npgsql;

namespace Gateway.Data;

/// <summary>
/// Holds a connection of its own for notifications, those of jobs too. It only makes news travel faster: a lost connection is made
/// again while polling goes on, and the first thing after it is a look at everything.
/// </summary>
internal sealed class NotificationListener(GatewaySettings settings, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan PauseAfterLoss = TimeSpan.FromSeconds(1);

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
    {
        ApplicationName = "gateway listen",
        Pooling = false,
        KeepAlive = 15,
    }.ConnectionString;

    /// <param name="notice">Called with the channel on which there may be something new; must not throw.</param>
    public async Task RunAsync(Action<string> notice, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(notice, stopping);
            }
            catch (Exception broken) when (!stopping.IsCancellationRequested)
            {
                log.ListenLost(broken.GetType().Name);
                // Perhaps it is not the connection but the database: a look tells.
                notice(GatewayDb.NotifyChannel);
                await Task.Delay(PauseAfterLoss, clock, stopping);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(Action<string> notice, CancellationToken stopping)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        connection.Notification += (_, told) => notice(told.Channel);
        await connection.OpenAsync(stopping);
        await using (var listen = new NpgsqlCommand($"LISTEN {GatewayDb.NotifyChannel}; LISTEN {GatewayDb.JobsChannel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stopping);
        }

        notice(GatewayDb.NotifyChannel);
        notice(GatewayDb.JobsChannel);
        while (true)
        {
            await connection.WaitAsync(stopping);
        }
    }
}
