using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Bots.Datasets;

public sealed class IngestTests(DatasetBenchFixture fixture) : IClassFixture<DatasetBenchFixture>
{
    private const string Handbook = "# Leave\nThirty days a year.\n# Pay\nOn the last day of the month.\n# Tea\nIn the kitchen.";

    private DatasetBench Bench => fixture.Bench;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_becomes_records_chunks_and_vectors()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "handbook.md", Handbook);

        var made = await Bench.RunJobsAsync();

        var chunks = await Bench.ChunksAsync(dataset);
        Assert.Equal(3, made);
        Assert.Equal(["Leave\n\nThirty days a year.", "Pay\n\nOn the last day of the month.", "Tea\n\nIn the kitchen."], chunks.OrderBy(c => c.Position).Select(c => c.Text));
        Assert.All(chunks, c => Assert.Equal((DatasetBench.Model, 2 * DatasetBench.Dimensions), (c.VectorModel, c.Vector!.Length)));
        await Bench.AssertLexemesAsync(dataset);
    }

    [Fact]
    public async Task What_did_not_change_keeps_its_chunks_and_is_not_embedded_again()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "handbook.md", Handbook);
        await Bench.RunJobsAsync();
        var before = (await Bench.ChunksAsync(dataset)).Select(c => c.Id).ToHashSet();

        await Bench.PutFileAsync(dataset, "handbook.md", "# New\nFirst.\n" + Handbook.Replace("Thirty", "Forty", StringComparison.Ordinal));
        var made = await Bench.RunJobsAsync();

        var after = await Bench.ChunksAsync(dataset);
        Assert.Equal(2, made);
        Assert.Equal(4, after.Count);
        Assert.Equal(2, after.Count(c => before.Contains(c.Id)));
        await Bench.AssertLexemesAsync(dataset);
    }

    [Fact]
    public async Task Rows_of_a_table_keep_their_records_when_others_come_before_them()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "menu.csv", "text,price\nTea,3\nCake,4\n");
        await Bench.RunJobsAsync();
        var before = await RecordsAsync(dataset);

        await Bench.PutFileAsync(dataset, "menu.csv", "text,price\nSoup,5\nTea,3\nCakes,4\n");
        var made = await Bench.RunJobsAsync();

        var after = await RecordsAsync(dataset);
        Assert.Equal(2, made);
        Assert.Equal(before.Single(r => r.Text == "Tea").Id, after.Single(r => r.Text == "Tea").Id);
        Assert.Equal(["Soup", "Tea", "Cakes"], after.OrderBy(r => r.Position).Select(r => r.Text));
        await Bench.AssertLexemesAsync(dataset);
    }

    [Fact]
    public async Task A_file_that_is_deleted_takes_all_with_it()
    {
        var dataset = await Bench.AddDatasetAsync();
        var file = await Bench.PutFileAsync(dataset, "handbook.md", Handbook);
        await Bench.RunJobsAsync();

        await Bench.DeleteFileAsync(dataset, file);
        await Bench.RunJobsAsync();

        Assert.Empty(await Bench.ChunksAsync(dataset));
        Assert.Empty(await RecordsAsync(dataset));
        await using var db = Bench.NewContext();
        Assert.False(await db.Lexemes.AnyAsync(l => l.WorkspaceId == Bench.Workspace && l.DatasetId == dataset.Id, Cancel));
    }

    [Fact]
    public async Task Changed_settings_make_again_what_differs()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "handbook.md", Handbook);
        await Bench.RunJobsAsync();

        await Bench.AddModelAsync("other-words", 64);
        await Bench.ChangeAsync(dataset, d => (d.EmbeddingModel, d.Language) = ("other-words", "simple"));
        var made = await Bench.RunJobsAsync();

        var chunks = await Bench.ChunksAsync(dataset);
        Assert.Equal(3, made);
        Assert.All(chunks, c => Assert.Equal(("other-words", 128), (c.VectorModel, c.Vector!.Length)));
        Assert.Contains(chunks, c => c.Lexemes.Any(l => l.Text == "days"));
        await Bench.AssertLexemesAsync(dataset);
    }

    [Fact]
    public async Task Jobs_of_one_kind_that_wait_are_one()
    {
        var dataset = await Bench.AddDatasetAsync(model: null);
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        await Bench.PutFileAsync(dataset, "a.txt", "Two.");
        await Bench.RunJobsAsync();

        await using var db = Bench.NewContext();
        var job = Assert.Single(await db.Jobs.Where(j => j.WorkspaceId == Bench.Workspace && j.DatasetId == dataset.Id).ToListAsync(Cancel));
        Assert.Equal((JobState.Done, 1, 1), (job.State, job.Total, job.Done));
        Assert.Equal("Two.", Assert.Single(await Bench.ChunksAsync(dataset)).Text);
    }

    [Fact]
    public async Task A_model_of_other_dimensions_says_so()
    {
        await Bench.AddModelAsync("fixed-size", 100, "fixed!unsupported=dimensions");
        var dataset = await Bench.AddDatasetAsync(model: "fixed-size");
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        var job = await Bench.Jobs.ClaimAsync(Cancel);

        var failed = await Assert.ThrowsAsync<EmbeddingException>(() => Bench.Run.RunAsync(job!, Cancel));
        await Bench.Jobs.EndAsync(job!, failed.Message, Cancel);

        Assert.Contains("vectors of 384 dimensions, and 100 are configured", failed.Message, StringComparison.Ordinal);
        Assert.False(failed.IsPassing);
    }

    [Fact]
    public async Task A_provider_that_is_busy_for_a_moment_is_asked_again()
    {
        await Bench.AddModelAsync("busy", DatasetBench.Dimensions, "busy!status=429!retry-after=0!times=2");
        var dataset = await Bench.AddDatasetAsync(model: "busy");
        await Bench.PutFileAsync(dataset, "a.txt", "One.");

        Assert.Equal(1, await Bench.RunJobsAsync());
    }

    [Fact]
    public async Task A_job_that_another_gateway_took_over_writes_nothing_more()
    {
        var dataset = await Bench.AddDatasetAsync(model: null);
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        var first = await Bench.Jobs.ClaimAsync(Cancel);
        await using (var db = Bench.NewContext())
        {
            await db.Jobs.Where(j => j.WorkspaceId == Bench.Workspace && j.Id == first!.Id).ExecuteUpdateAsync(s => s.SetProperty(j => j.DueAt, DateTime.UtcNow), Cancel);
        }

        var second = await Bench.Jobs.ClaimAsync(Cancel);

        Assert.Equal((first!.Id, 2), (second!.Id, second.Tries));
        await Assert.ThrowsAsync<JobLostException>(() => Bench.Run.RunAsync(first, Cancel));
        Assert.Empty(await Bench.ChunksAsync(dataset));
        await Bench.Run.RunAsync(second, Cancel);
        await Bench.Jobs.EndAsync(second, null, Cancel);
        Assert.Single(await Bench.ChunksAsync(dataset));
    }

    [Fact]
    public async Task A_dataset_that_is_deleted_ends_its_jobs()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        var job = await Bench.Jobs.ClaimAsync(Cancel);
        await using (var db = Bench.NewContext())
        {
            await db.Datasets.Where(d => d.WorkspaceId == Bench.Workspace && d.Id == dataset.Id).ExecuteDeleteAsync(Cancel);
        }

        await Assert.ThrowsAsync<DatasetGoneException>(() => Bench.Run.RunAsync(job!, Cancel));
    }

    [Fact]
    public void Records_are_known_again_by_what_they_say_and_else_by_their_place()
    {
        var known = new[] { "a", "b", "c" }.Select((t, i) => new KnownRecord(Guid.CreateVersion7(), i, RecordMatch.Hash(t, "", null))).ToList();

        var (ids, gone) = RecordMatch.Match(known, [new("c", "", null), new("B", "", null)], TimeProvider.System);

        Assert.Equal([known[2].Id, known[0].Id], ids);
        Assert.Equal([known[1].Id], gone);
    }

    private async Task<List<RecordRow>> RecordsAsync(Gateway.Bots.Dataset dataset)
    {
        await using var db = Bench.NewContext();
        return await db.Records.AsNoTracking().Where(r => r.WorkspaceId == Bench.Workspace && r.DatasetId == dataset.Id).ToListAsync(Cancel);
    }
}
