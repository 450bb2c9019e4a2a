using System.Globalization;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Data;

/// <summary>
/// Removes the notes about deleted rows when every gateway has long seen them. The version up to which they are gone is
/// written in the same statement, so a gateway that was cut off for longer knows, whatever its clock says, that it missed
/// some and has to read everything.
/// </summary>
internal sealed class DeletionTrim(IDbContextFactory<GatewayDb> databases, TimeProvider clock, ILogger<DeletionTrim> log)
    : BackgroundService
{
    private const string TrimmedSetting = "deletions-trimmed";
    private const string LastTrimSetting = "deletions-last-trim";
    private const int BatchRows = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>The newest version whose deletions may be gone; 0 when none are.</summary>
    public static async Task<long> TrimmedAsync(GatewayDb db, CancellationToken cancel) =>
        await db.Settings.AsNoTracking().Where(s => s.Name == TrimmedSetting).Select(s => s.Value).SingleOrDefaultAsync(cancel) is { } text
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : 0;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, clock);
            do
            {
                await TrimAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    private async Task TrimAsync(CancellationToken stopping)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(stopping);
            if (!await IsOursAsync(db, stopping))
            {
                return;
            }

            while (await TrimBatchAsync(db, stopping))
            {
                // Small batches: nobody who deletes waits for us.
            }
        }
        catch (Exception failed) when (!stopping.IsCancellationRequested)
        {
            log.TrimFailed(DatabaseTrouble.Find(failed) ?? failed.GetType().Name);
        }
    }

    /// <summary>One gateway of all, once an hour, by the database's clock.</summary>
    private static async Task<bool> IsOursAsync(GatewayDb db, CancellationToken cancel) =>
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO settings (name, value) VALUES ({LastTrimSetting}, now()::text)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            WHERE settings.value::timestamptz < now() - interval '55 minutes'
            """, cancel) == 1;

    private static async Task<bool> TrimBatchAsync(GatewayDb db, CancellationToken cancel) =>
        await db.Database.ExecuteSqlAsync(
            $"""
            WITH gone AS (
                DELETE FROM deletions WHERE (version, kind, workspace_id, object_id) IN (
                    SELECT version, kind, workspace_id, object_id FROM deletions
                    WHERE at < now() - interval '1 day' ORDER BY version LIMIT {BatchRows})
                RETURNING version)
            INSERT INTO settings (name, value) SELECT {TrimmedSetting}, max(version)::text FROM gone HAVING count(*) > 0
            ON CONFLICT (name) DO UPDATE SET value = greatest(settings.value::bigint, excluded.value::bigint)::text
            """, cancel) == 1;
}
