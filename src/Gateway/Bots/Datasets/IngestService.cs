using System.Diagnostics;
using Gateway.Bots.Datasets.Parsing;
using Gateway.Data;
using Gateway.Observability;
using Gateway.Upstream;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Works on jobs in the background, some at a time. One looks for them all: when it is told that there may be one, when one is
/// due, and now and then.
/// </summary>
internal sealed class IngestService(
    JobTable jobs, IngestRun run, JobSignal signal, DatabaseNews news, GatewaySettings settings, TimeProvider clock, ILogger<IngestService> log)
    : BackgroundService
{
    private const int Workers = 2;

    /// <summary>How often a job may be begun without getting further: a file that ends the process would end every gateway, for ever.</summary>
    private const int MostTries = 5;

    /// <summary>While one is due that cannot be taken, since its dataset is worked on.</summary>
    private static readonly TimeSpan ShortestLook = TimeSpan.FromSeconds(1);

    /// <summary>Behind notifications.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long after it was first begun a job still waits for a provider or a limit, instead of failing. What it stood in the
    /// queue before is none of its trouble.
    /// </summary>
    private static readonly TimeSpan LongestTrouble = TimeSpan.FromHours(24);

    private long _lookedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        List<Task> running = [];
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                running.RemoveAll(job => job.IsCompleted);
                var (job, wait) = running.Count < Workers ? await LookAsync(stoppingToken) : (null, Timeout.InfiniteTimeSpan);
                if (job is null)
                {
                    await WaitAsync(wait, stoppingToken);
                }
                else
                {
                    running.Add(WorkAsync(job, stoppingToken));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop.
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    /// <summary>Does a job and looks again at once: another one of its dataset may have waited for it.</summary>
    private async Task WorkAsync(JobLease job, CancellationToken stopping)
    {
        await RunAsync(job, stopping);
        signal.Set();
    }

    /// <returns>A job; or how long to wait, when there is none.</returns>
    private async Task<(JobLease? Job, TimeSpan Wait)> LookAsync(CancellationToken stopping)
    {
        try
        {
            _lookedAt = clock.GetTimestamp();
            if (await jobs.NextAsync(stopping) is not { } wait)
            {
                return (null, LongestLook);
            }

            return wait <= TimeSpan.Zero && await jobs.ClaimAsync(stopping) is { } job
                ? (job, TimeSpan.Zero)
                : (null, TimeSpan.FromTicks(Math.Clamp(wait.Ticks, ShortestLook.Ticks, LongestLook.Ticks)));
        }
        catch (Exception broken) when (!stopping.IsCancellationRequested)
        {
            log.JobsUnavailable(DatabaseTrouble.Find(broken) ?? broken.GetType().Name);
            await Task.Delay(ShortestWait, clock, stopping);
            return (null, TimeSpan.Zero);
        }
    }

    /// <summary>Waits until there may be a job.</summary>
    private async Task WaitAsync(TimeSpan longest, CancellationToken stopping)
    {
        while (!await signal.WaitAsync(longest, stopping))
        {
            // A look would find what was told since the last one.
            longest = news.UntilJobs(_lookedAt, LongestLook);
            if (longest <= TimeSpan.Zero)
            {
                return;
            }
        }
    }

    private async Task RunAsync(JobLease job, CancellationToken stopping)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var over = new CancellationTokenSource();
        var renewing = RenewAsync(job, lost, over.Token);
        try
        {
            await RunAsync(job, stopping, lost.Token);
        }
        catch (Exception broken) when (broken is JobLostException or DatasetGoneException || (lost.IsCancellationRequested && !stopping.IsCancellationRequested))
        {
            // Another gateway's now, or nobody's.
        }
        catch (Exception broken)
        {
            // The database is away: the lease runs out, and whoever is there then goes on.
            log.JobsUnavailable(DatabaseTrouble.Find(broken) ?? broken.GetType().Name);
        }
        finally
        {
            await over.CancelAsync();
            await renewing;
        }
    }

    private async Task RunAsync(JobLease job, CancellationToken stopping, CancellationToken cancel)
    {
        if (job.Tries > MostTries)
        {
            await FailAsync(job, $"It was begun {MostTries} times in a row without getting any further.");
            return;
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            var (dataset, records, vectors) = await run.RunAsync(job, cancel);
            await jobs.EndAsync(job, null, CancellationToken.None);
            log.JobDone(job.Id, dataset.Name, dataset.Workspace, Stopwatch.GetElapsedTime(started).TotalSeconds, records, vectors);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // Whatever came of being told to stop says nothing of the job.
            await jobs.PostponeAsync(job, TimeSpan.Zero, null, CancellationToken.None);
        }
        catch (UnreadableFileException wrong)
        {
            await FailAsync(job, $"The file cannot be read: {wrong.Message}");
        }
        catch (EmbeddingException passing) when (passing.IsPassing)
        {
            await WaitAsync(job, passing.RetryAfter, passing.Message);
        }
        catch (EmbeddingException wrong)
        {
            await FailAsync(job, wrong.Message);
        }
        catch (WorkspaceLimitException limited)
        {
            await WaitAsync(job, limited.Wait, limited.Message);
        }
        catch (PostgresException wrong) when (wrong.SqlState == PostgresErrorCodes.UndefinedObject)
        {
            await FailAsync(job, "The dataset's language is no text search configuration of the database.");
        }
        catch (Exception broken) when (broken is not (JobLostException or DatasetGoneException or OperationCanceledException) && DatabaseTrouble.Find(broken) is null)
        {
            // A mistake of ours: its text may quote what is in the dataset.
            await FailAsync(job, $"Internal error ({(broken as PostgresException)?.SqlState ?? broken.GetType().Name}).");
        }
    }

    private async Task FailAsync(JobLease job, string reason)
    {
        await jobs.EndAsync(job, reason, CancellationToken.None);
        log.JobFailed(job.Id, job.Scope.Dataset, reason);
    }

    /// <summary>Longer with the time since the job was first begun, since what lasts is seldom over in a moment.</summary>
    private async Task WaitAsync(JobLease job, TimeSpan? asked, string reason)
    {
        var age = clock.GetUtcNow().UtcDateTime - job.StartedAt;
        if (age > LongestTrouble)
        {
            await FailAsync(job, reason);
            return;
        }

        var wait = asked ?? TimeSpan.FromTicks(Math.Clamp(age.Ticks / 4, ShortestWait.Ticks, LongestWait.Ticks));
        await jobs.PostponeAsync(job, wait, reason, CancellationToken.None);
        log.JobWaits(job.Id, job.Scope.Dataset, wait.TotalSeconds, reason);
    }

    /// <summary>Keeps the job while nothing is written, as while a provider thinks.</summary>
    private async Task RenewAsync(JobLease job, CancellationTokenSource lost, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(settings.JobLease / 3, clock, over);
                await jobs.RenewAsync(job, over);
            }
            catch (JobLostException)
            {
                await lost.CancelAsync();
                return;
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception broken)
            {
                log.JobsUnavailable(DatabaseTrouble.Find(broken) ?? broken.GetType().Name);
            }
        }
    }
}
