using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Limits;

/// <summary>Deletes what passed minutes, days and months left behind.</summary>
internal sealed class LimitCleanup(NpgsqlDataSource database, DatabaseNews news, TimeProvider clock, ILogger<LimitCleanup> log)
    : TableCleanup(database, clock, TimeSpan.FromMinutes(1))
{
    protected override int Sharers => news.Gateways;

    protected override async Task CleanAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        // Well after the end, since the clocks of gateways and database may differ.
        await DeleteAsync(connection, "limit_leases", "ends_at < now() - interval '10 minutes'", cancel);
        await DeleteAsync(connection, "limit_windows", "ends_at < now() - interval '10 minutes'", cancel);
        await DeleteAsync(connection, "instances", "seen_at < now() - interval '1 day'", cancel);
    }

    protected override void TellFailed(string error) => log.LimitCleanupFailed(error);
}
