using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Simulator;
using Gateway.Tests.Bots.Datasets;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Verify;

/// <summary>How well and how fast datasets are searched, on real texts. Times are printed and not judged.</summary>
public sealed class RetrievalTests(TestPostgres postgres, ITestOutputHelper output)
{
    private const int Few = 5;

    private static readonly bool IsFull = Settings.Number("RETRIEVAL_TEXTS", 0) > 0;
    private static readonly int Texts = Settings.Number("RETRIEVAL_TEXTS", 250);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Questions_find_their_texts()
    {
        // Arrange
        await using var bench = await StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var texts = ManualPages.Read(Texts);
        var dataset = await bench.AddDatasetAsync();
        var watch = Stopwatch.StartNew();
        await FillAsync(bench, dataset, texts);
        var chunks = await bench.ChunksAsync(dataset);
        Say($"{texts.Count} texts in {chunks.Count} chunks, with vectors, in {watch.Elapsed.TotalSeconds:0.0} s: {texts.Count / watch.Elapsed.TotalSeconds:0} texts/s, {chunks.Count / watch.Elapsed.TotalSeconds:0} chunks/s");
        var textOf = await TextsOfAsync(bench, dataset, chunks);
        var first = RetrievalQuestions.Of(texts).Take(500).ToList();
        var asked = first.Select(q => q.Text).ToHashSet();
        // How both lists are fused was chosen on the first: these are about other texts, made by chance from other sentences.
        var others = RetrievalQuestions.ByChance(texts, new Random(20261121)).Where(q => !IsFull || !asked.Contains(q.Text)).Take(500).ToList();

        foreach (var (name, questions) in new[] { ("questions", first), ("questions by chance about other texts", others) })
        {
            // Act
            var (words, vectors, fused) = (0, 0, 0);
            foreach (var question in questions)
            {
                words += Hits(await WordsAsync(bench, dataset, question.Words, chunks.Count));
                vectors += Hits(await VectorsAsync(bench, dataset, question.Words));
                fused += Hits((await bench.FindAsync(dataset, question.Words, most: Few)).Hits.Select(h => h.Chunk));

                int Hits(IEnumerable<Guid> found) => found.Take(Few).Any(id => textOf[id] == question.Text) ? 1 : 0;
            }

            // Assert
            var (byWords, byVectors, byBoth) = (100.0 * words / questions.Count, 100.0 * vectors / questions.Count, 100.0 * fused / questions.Count);
            Say($"hit rate at {Few} of {questions.Count} {name}: words {byWords:0.0} %, vectors {byVectors:0.0} %, fused {byBoth:0.0} %");
            Assert.True(byWords >= 70, $"Words: {byWords:0.0} %.");
            Assert.True(byBoth >= Math.Max(byWords, byVectors) - 2, $"Words {byWords:0.0} %, vectors {byVectors:0.0} %, fused {byBoth:0.0} %.");
        }
    }

    [Fact]
    public async Task Words_are_searched_in_many_chunks()
    {
        await using var bench = await StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var texts = ManualPages.Read(Texts);
        var questions = RetrievalQuestions.Of(texts).Take(IsFull ? 200 : 20).ToList();
        foreach (var size in IsFull ? new[] { 1_000, 100_000 } : [500])
        {
            var dataset = await bench.AddDatasetAsync(model: null, d => d.ChunkTokens = 128);
            var watch = Stopwatch.StartNew();
            await GrowAsync(bench, dataset, texts, size);
            var seconds = watch.Elapsed.TotalSeconds;
            await AnalyzeAsync(bench);
            var times = new List<double>();
            foreach (var question in questions)
            {
                var started = Stopwatch.GetTimestamp();
                Assert.NotEmpty(await WordsAsync(bench, dataset, question.Words, size));
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            Say($"words in {size} chunks (written at {size / seconds:0} chunks/s): {Shown(times)}");
        }
    }

    [Fact]
    public void Vectors_are_compared_in_memory()
    {
        var count = IsFull ? 50_000 : 2_000;
        var random = new Random(1);
        var vectors = Enumerable.Range(0, count).Select(_ => (Guid.NewGuid(), Unit(random))).ToList();
        var scan = VectorScan.Of(vectors, DatasetBench.Dimensions);
        var times = new List<double>();
        for (var n = 0; n < 50; n++)
        {
            var query = Unit(random);
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(200, scan.Find(query, 200, null).Count);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Say($"{count} vectors of {DatasetBench.Dimensions} in memory ({scan.Bytes >> 20} MiB): {Shown(times)}");
    }

    [Fact]
    public async Task An_index_of_vectors_finds_what_a_comparison_finds()
    {
        var count = IsFull ? 20_000 : 300;
        await using var server = await PgVector.StartAsync(Cancel);
        await using var bench = await StartAsync(server.ConnectionString);
        Assert.True(await bench.Index.IsThereAsync(Cancel));
        var texts = ManualPages.Read(Texts);
        var dataset = await bench.AddDatasetAsync(model: null, d => d.ChunkTokens = 96);
        await GrowAsync(bench, dataset, texts, count);
        var scope = new DatasetScope(bench.Workspace, dataset.Id);
        foreach (var some in (await bench.ChunksAsync(dataset)).Chunk(500))
        {
            await using var connection = await bench.Source.OpenConnectionAsync(Cancel);
            await VectorIndex.WriteAsync(
                connection, scope, DatasetBench.Model, [.. some.Select(c => (c.Id, WordVector.Of(c.Text, DatasetBench.Dimensions)))], Cancel);
        }

        var watch = Stopwatch.StartNew();
        await bench.Indexes.EnsureAsync(scope, DatasetBench.Dimensions, Cancel);
        Say($"index of {count} vectors made in {watch.Elapsed.TotalSeconds:0.0} s");
        var (found, all) = (0, 0);
        foreach (var question in RetrievalQuestions.Of(texts).Take(IsFull ? 100 : 20))
        {
            var query = WordVector.Of(question.Words, DatasetBench.Dimensions);
            Assert.Contains("Index Scan using chunk_vectors_", await bench.PlanAsync(dataset, query, isIndexed: true), StringComparison.Ordinal);
            Assert.DoesNotContain($"_{DatasetBench.Dimensions}", await bench.PlanAsync(dataset, query, isIndexed: false), StringComparison.Ordinal);
            var exact = await bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, Few, isLarge: false, Cancel);
            var indexed = await bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, Few, isLarge: true, Cancel);
            // One as near as the fifth is as good as the fifth.
            found += indexed.Count(i => i.Similarity >= exact[^1].Similarity - 0.0005);
            all += Few;
        }

        Say($"recall at {Few} of {count}: {(double)found / all:0.000}");
        Assert.True(found >= 0.95 * all, $"{found} of {all}.");
    }

    private static Task<DatasetBench> StartAsync(string connectionString) =>
        DatasetBench.StartAsync(connectionString, new GatewaySettings { JobLease = TimeSpan.FromMinutes(10) });

    private static async Task FillAsync(DatasetBench bench, Dataset dataset, IReadOnlyList<RealText> texts)
    {
        var lines = texts.Select((t, i) => JsonSerializer.Serialize(new { text = t.Text, source = t.Name, metadata = new { text = i } }));
        await bench.PutFileAsync(dataset, "texts.jsonl", string.Join('\n', lines));
        await bench.RunJobsAsync();
    }

    /// <summary>Writes as many chunks, the texts again and again, each time with a word of its own.</summary>
    private static async Task GrowAsync(DatasetBench bench, Dataset dataset, IReadOnlyList<RealText> texts, int chunks)
    {
        var settings = (await DatasetSettings.ReadAsync(bench.Source, new DatasetScope(bench.Workspace, dataset.Id), Cancel))!;
        var written = 0;
        for (var round = 0; written < chunks; round++)
        {
            foreach (var some in texts.Chunk(50))
            {
                var rows = some.Select(t => new RecordRow
                {
                    WorkspaceId = bench.Workspace,
                    DatasetId = dataset.Id,
                    Id = Guid.CreateVersion7(),
                    Text = Varied(t.Text, round),
                    Source = t.Name,
                    CreatedAt = DateTime.UtcNow,
                    UpdatedAt = DateTime.UtcNow,
                }).ToList();
                written += (await bench.Writer.WriteAsync(settings, rows, null, null, Cancel)).All;
                if (written >= chunks)
                {
                    return;
                }
            }
        }
    }

    private static string Varied(string text, int round) =>
        round == 0 ? text : text.Replace(". ", string.Create(CultureInfo.InvariantCulture, $" edition{round}. "), StringComparison.Ordinal);

    private static async Task AnalyzeAsync(DatasetBench bench)
    {
        await using var db = bench.NewContext();
        await db.Database.ExecuteSqlRawAsync("ANALYZE", Cancel);
    }

    private static async Task<Dictionary<Guid, int>> TextsOfAsync(DatasetBench bench, Dataset dataset, List<ChunkRow> chunks)
    {
        await using var db = bench.NewContext();
        var positions = await db.Records.Where(r => r.WorkspaceId == bench.Workspace && r.DatasetId == dataset.Id).ToDictionaryAsync(r => r.Id, r => r.Position, Cancel);
        return chunks.ToDictionary(c => c.Id, c => positions[c.RecordId]);
    }

    private static async Task<IEnumerable<Guid>> WordsAsync(DatasetBench bench, Dataset dataset, string question, int size) =>
        (await bench.Texts.SearchAsync(new DatasetScope(bench.Workspace, dataset.Id), dataset.Language, question, null, Few, 50, size, Cancel)).Select(m => m.Chunk);

    private static async Task<IEnumerable<Guid>> VectorsAsync(DatasetBench bench, Dataset dataset, string question) =>
        (await bench.Scans.SearchAsync(
            new DatasetScope(bench.Workspace, dataset.Id), DatasetBench.Model, WordVector.Of(question, DatasetBench.Dimensions), null, Few, 50_000, Cancel))
        .Select(v => v.Chunk);

    private static float[] Unit(Random random)
    {
        var vector = Enumerable.Range(0, DatasetBench.Dimensions).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        VectorBytes.Normalize(vector);
        return vector;
    }

    private static string Shown(List<double> times)
    {
        times.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"median {times[times.Count / 2]:0.0} ms, p95 {times[times.Count * 95 / 100]:0.0} ms");
    }

    private void Say(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
