using System.Globalization;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;
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
    public async Task Many_texts_are_indexed_in_another_language_some_at_a_time()
    {
        // Arrange
        const int Chunks = 1_200;
        var dataset = await Bench.AddDatasetAsync(model: null);
        var rows = Enumerable.Range(0, Chunks).Select(n => string.Create(CultureInfo.InvariantCulture, $"The days of number{n} were running"));
        await Bench.PutFileAsync(dataset, "days.csv", "text\n" + string.Join('\n', rows));
        await Bench.RunJobsAsync();

        // Act
        await Bench.ChangeAsync(dataset, d => d.Language = "simple");
        await Bench.RunJobsAsync();

        // Assert: who wrote a row is in the row, and writers of the dataset come between one such transaction and the next.
        await using var connection = await Bench.Source.OpenConnectionAsync(Cancel);
        await using var command = new DatasetScope(Bench.Workspace, dataset.Id).Command(
            connection, "SELECT max(n) FROM (SELECT count(*) AS n FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds GROUP BY xmin::text) t");
        Assert.InRange((long)(await command.ExecuteScalarAsync(Cancel))!, 1, 500);
        var chunks = await Bench.ChunksAsync(dataset);
        Assert.Equal(Chunks, chunks.Count(c => c.Lexemes.Any(l => l.Text == "running")));
        await Bench.AssertLexemesAsync(dataset);
        await using var db = Bench.NewContext();
        Assert.Equal(Chunks, await db.Lexemes.Where(l => l.DatasetId == dataset.Id && l.Lexeme == "days").Select(l => l.Chunks).SingleAsync(Cancel));
        Assert.False(await db.Lexemes.AnyAsync(l => l.DatasetId == dataset.Id && l.Lexeme == "day", Cancel));
    }

    [Fact]
    public async Task A_record_that_somebody_wrote_meanwhile_is_neither_written_nor_removed()
    {
        var dataset = await Bench.AddDatasetAsync(model: null);
        var scope = new DatasetScope(Bench.Workspace, dataset.Id);
        var settings = (await DatasetSettings.ReadAsync(Bench.Source, scope, Cancel))!;
        var record = new RecordRow { WorkspaceId = Bench.Workspace, DatasetId = dataset.Id, Id = Guid.CreateVersion7(), Text = "One.", CreatedAt = DateTime.UtcNow, UpdatedAt = DateTime.UtcNow };
        await using var connection = await Bench.Source.OpenConnectionAsync(Cancel);
        var readAt = await Bench.Writer.WriteOneAsync(connection, settings, record, null, Cancel);
        (record.Text, record.UpdatedAt) = ("Two.", readAt.AddSeconds(1));
        await Bench.Writer.WriteOneAsync(connection, settings, record, readAt, Cancel);

        record.Text = "Three.";
        await Assert.ThrowsAsync<RecordChangedException>(() => Bench.Writer.WriteOneAsync(connection, settings, record, readAt, Cancel));
        await Assert.ThrowsAsync<RecordChangedException>(() => RecordWriter.RemoveOneAsync(connection, scope, record.Id, readAt, Cancel));
        Assert.Equal("Two.", Assert.Single(await Bench.ChunksAsync(dataset)).Text);
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
    public async Task A_job_asks_for_vectors_of_a_few_batches_at_a_time()
    {
        // Arrange: eight batches, of which each is answered once four have been there together, and a moment later.
        var (now, most, gate) = (0, 0, new Lock());
        var four = new TaskCompletionSource();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(async (http, request) =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++now);
                if (now == 4)
                {
                    four.TrySetResult();
                }
            }

            await four.Task.WaitAsync(http.RequestAborted);
            await Task.Delay(100, http.RequestAborted);
            lock (gate)
            {
                now--;
            }

            var vectors = Enumerable.Range(0, request.Json["input"]!.AsArray().Count).Select(n => $$"""{"index":{{n}},"embedding":[1,0]}""");
            await Answer.Json($$"""{"data":[{{string.Join(',', vectors)}}]}""")(http, request);
        });
        await Bench.AddModelAsync("gated", 2, baseUrl: upstream.BaseUrl);
        var dataset = await Bench.AddDatasetAsync("gated", d => d.ChunkTokens = 2_000);
        var words = string.Concat(Enumerable.Repeat("word ", 800));
        await Bench.PutFileAsync(dataset, "a.csv", "text\n" + string.Join('\n', Enumerable.Range(0, 256).Select(n => $"{words}{n}")));

        // Act
        Assert.Equal(256, await Bench.RunJobsAsync());

        // Assert
        Assert.True(upstream.Requests.Count > 4);
        Assert.Equal(4, most);
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
