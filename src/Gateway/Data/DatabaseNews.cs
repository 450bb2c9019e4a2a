namespace Gateway.Data;

/// <summary>
/// What round trips that are made anyway bring along, so that a busy gateway needs no statements to look whether there is
/// something new: who would look takes a report of this moment for an answer. Where none comes, everybody looks for itself. Safe
/// for concurrent use.
/// </summary>
internal sealed class DatabaseNews(TimeProvider clock)
{
    /// <summary>When a job may be due; null: there is none. Two steps through an index.</summary>
    public const string JobDue = "least((SELECT min(due_at) FROM jobs WHERE state = 0), (SELECT min(due_at) FROM jobs WHERE state = 1))";

    /// <summary>The columns of a statement that brings a report along, in the order of <see cref="Tell"/>.</summary>
    public const string Columns = $"(SELECT version FROM config_version), (SELECT {JobDue})";

    /// <summary>As long as a gateway of which nothing is heard counts as alive.</summary>
    private static readonly TimeSpan CountLasts = TimeSpan.FromSeconds(45);

    private Report? _latest;

    private sealed record Report(long At, int Gateways, long Version, DateTime? JobDue);

    /// <summary>
    /// How many gateways are known to share the database, this one included: those that have to do with limits. What each does now and
    /// then it does as much more seldom, so that the database has not more to do for each that is added.
    /// </summary>
    public int Gateways => Volatile.Read(ref _latest) is { Gateways: > 1 } latest && clock.GetElapsedTime(latest.At) < CountLasts ? latest.Gateways : 1;

    /// <param name="at">A timestamp of before the database was asked.</param>
    /// <param name="gateways">That are alive, this one included.</param>
    /// <param name="version">The configuration's.</param>
    /// <param name="jobDue">When a job may be due, UTC; null: there is none.</param>
    public void Tell(long at, int gateways, long version, DateTime? jobDue) =>
        Volatile.Write(ref _latest, new Report(at, gateways, version, jobDue));

    /// <summary>
    /// Until when the latest report saves a look at the configuration's version, which would be due at intervals. Zero or less: it is due now,
    /// since there is no report of so late, or it tells of another version.
    /// </summary>
    /// <param name="toldAt">A timestamp: as of then there was no other version.</param>
    public TimeSpan UntilVersion(long version, TimeSpan interval, out long toldAt)
    {
        var latest = Volatile.Read(ref _latest);
        toldAt = latest?.At ?? 0;
        return latest?.Version == version ? interval - clock.GetElapsedTime(toldAt) : TimeSpan.Zero;
    }

    /// <summary>
    /// Until when the latest report saves a look for jobs, which would be due at intervals. Zero or less: it is due now, since there is no
    /// report from after the last look, or a job is.
    /// </summary>
    /// <param name="lookedAt">A timestamp of before the last look.</param>
    public TimeSpan UntilJobs(long lookedAt, TimeSpan interval)
    {
        if (Volatile.Read(ref _latest) is not { } latest || latest.At <= lookedAt)
        {
            return TimeSpan.Zero;
        }

        var rest = interval - clock.GetElapsedTime(latest.At);
        return latest.JobDue is { } due && due - clock.GetUtcNow().UtcDateTime is var untilDue && untilDue < rest ? untilDue : rest;
    }
}
