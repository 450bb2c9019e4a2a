using Gateway.Data;
using Gateway.Observability;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Makes the indexes that jobs and searches ask for, and drops those that nobody needs. Not a part of a job: one of a large
/// dataset takes long, and would keep the jobs of all workspaces waiting.
/// </summary>
internal sealed class VectorIndexService(
    VectorIndexes indexes, DatabaseNews news, TimeProvider clock, ILogger<VectorIndexService> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>For one gateway; of several each comes as much more seldom.</summary>
    private static readonly TimeSpan TidyInterval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? tidiedAt = null;
        try
        {
            while (true)
            {
                try
                {
                    await indexes.MakeWantedAsync(stoppingToken);
                    if (tidiedAt is not { } at || clock.GetElapsedTime(at) >= TidyInterval * news.Gateways)
                    {
                        await indexes.TidyAsync(stoppingToken);
                        tidiedAt = clock.GetTimestamp();
                    }
                }
                catch (Exception broken) when (!stoppingToken.IsCancellationRequested)
                {
                    log.VectorIndexesUnavailable(DatabaseTrouble.Find(broken) ?? broken.GetType().Name);
                }

                await Task.Delay(Look, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
    }
}
