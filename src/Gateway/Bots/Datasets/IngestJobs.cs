using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots.Datasets;

/// <summary>Asks for background work on a dataset. Whoever saves the context starts it.</summary>
internal static class IngestJobs
{
    /// <summary>In place of a file: nothing is cut anew, only what has no vector gets one.</summary>
    public static readonly Guid VectorsAlone = Guid.Empty;

    /// <summary>
    /// Adds a job to the context, or hurries the one of the same kind that has not begun. One that runs is left alone: what it
    /// has read may be older than what this one is asked for.
    /// </summary>
    /// <param name="file">
    /// The file to read; a file that is gone takes its records with it. Null: every record is cut anew, as after a change of
    /// the dataset's chunk settings, language or embedding model. Or <see cref="VectorsAlone"/>.
    /// </param>
    /// <returns>The job; saved with the context's next save.</returns>
    public static async Task<JobRow> QueueAsync(
        GatewayDb db, Guid workspace, Guid dataset, Guid? file, TimeProvider clock, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var job = db.Jobs.Local.FirstOrDefault(IsSame)
            ?? (await Queued(db, workspace, dataset, file).ToListAsync(cancel)).FirstOrDefault();
        if (job is null)
        {
            job = new JobRow
            {
                WorkspaceId = workspace,
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                DatasetId = dataset,
                FileId = file,
                CreatedAt = now,
            };
            db.Jobs.Add(job);
        }

        job.DueAt = now;
        return job;

        // Locked until the caller's transaction ends, so that no worker takes it and reads what was there before.
        static IQueryable<JobRow> Queued(GatewayDb db, Guid workspace, Guid dataset, Guid? file) => db.Jobs.FromSql(
            $"""
            SELECT * FROM jobs WHERE workspace_id = {workspace} AND dataset_id = {dataset} AND file_id IS NOT DISTINCT FROM {file}
                AND state = {(int)JobState.Queued} LIMIT 1 FOR UPDATE
            """);

        bool IsSame(JobRow j) => j.WorkspaceId == workspace && j.DatasetId == dataset && j.FileId == file && j.State == JobState.Queued;
    }
}
