using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots.Datasets;

/// <summary>Asks for background work on a dataset. Whoever saves the context starts it.</summary>
internal static class IngestJobs
{
    /// <summary>Adds a job to the context, or hurries the one of the same kind that has not begun.</summary>
    /// <param name="file">
    /// The file to read; a file that is gone takes its records with it. Null: every record is cut anew, as after a change of
    /// the dataset's chunk settings, language or embedding model.
    /// </param>
    /// <returns>The job; saved with the context's next save.</returns>
    public static async Task<JobRow> QueueAsync(
        GatewayDb db, Guid workspace, Guid dataset, Guid? file, TimeProvider clock, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var job = db.Jobs.Local.FirstOrDefault(IsSame)
            ?? await db.Jobs.FirstOrDefaultAsync(
                j => j.WorkspaceId == workspace && j.DatasetId == dataset && j.FileId == file && j.State == JobState.Queued, cancel);
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

        bool IsSame(JobRow j) => j.WorkspaceId == workspace && j.DatasetId == dataset && j.FileId == file && j.State == JobState.Queued;
    }
}
