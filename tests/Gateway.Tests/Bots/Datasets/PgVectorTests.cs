using System.Globalization;
using Gateway.Bots;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Simulator;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>A dataset above <see cref="LargeFrom"/> chunks gets an index.</summary>
public sealed class PgVectorFixture : IAsyncLifetime
{
    public const int LargeFrom = 60;

    private PgVector? _server;

    internal DatasetBench Bench { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PgVector.StartAsync(TestContext.Current.CancellationToken);
        Bench = await DatasetBench.StartAsync(_server.ConnectionString, new GatewaySettings { VectorScanChunks = LargeFrom });
    }

    public async ValueTask DisposeAsync()
    {
        await Bench.DisposeAsync();
        await _server!.DisposeAsync();
    }
}

public sealed class PgVectorTests(PgVectorFixture fixture) : IClassFixture<PgVectorFixture>
{
    private DatasetBench Bench => fixture.Bench;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Vectors_are_kept_by_the_extension_and_go_with_their_chunks()
    {
        Assert.True(await Bench.Index.IsThereAsync(Cancel));
        var dataset = await Bench.AddDatasetAsync();
        var file = await Bench.PutFileAsync(dataset, "a.csv", "text,kind\nGreen tea,drink\nCarrot cake with walnuts,food\n");
        Assert.Equal(2, await Bench.RunJobsAsync());

        Assert.All(await Bench.ChunksAsync(dataset), c => Assert.True(c is { Vector: null, VectorModel: DatasetBench.Model }));
        Assert.Equal(2, await CountAsync(dataset));
        Assert.Equal("Carrot cake with walnuts", (await Bench.FindAsync(dataset, "walnutty carrots")).Hits[0].Text);
        Assert.Equal("Green tea", Assert.Single((await Bench.FindAsync(dataset, "walnutty carrots", """{"kind":"drink"}""")).Hits).Text);

        await Bench.DeleteFileAsync(dataset, file);
        await Bench.RunJobsAsync();
        Assert.Equal(0, await CountAsync(dataset));
    }

    [Fact]
    public async Task A_large_dataset_has_an_index_that_finds_what_a_comparison_finds()
    {
        var dataset = await AddAsync(150);
        await Bench.Indexes.MakeWantedAsync(Cancel);

        Assert.Contains("halfvec(384)", Assert.Single(await IndexesAsync(dataset)).Definition, StringComparison.Ordinal);
        var scope = new DatasetScope(Bench.Workspace, dataset.Id);
        foreach (var n in new[] { 3, 77, 149 })
        {
            var query = WordVector.Of($"word{n} number{n % 7}", DatasetBench.Dimensions);
            var exact = await Bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, 5, isLarge: false, Cancel);
            var indexed = await Bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, 5, isLarge: true, Cancel);

            Assert.Equal(exact.Select(e => Math.Round(e.Similarity, 3)), indexed.Select(i => Math.Round(i.Similarity, 3)));
        }

        var found = await Bench.FindAsync(dataset, "word140", """{"n":{"$gte":100}}""");
        Assert.StartsWith("word140 ", found.Hits[0].Text, StringComparison.Ordinal);
        Assert.Null(found.Note);
    }

    [Fact]
    public async Task Above_the_threshold_the_index_is_read_and_below_all_is_compared()
    {
        var small = await AddAsync(20);
        var large = await AddAsync(150);
        await Bench.Indexes.MakeWantedAsync(Cancel);
        var query = WordVector.Of("word3 number3", DatasetBench.Dimensions);

        var name = Assert.Single(await IndexesAsync(large)).Name;
        Assert.Empty(await IndexesAsync(small));
        Assert.Contains($"Index Scan using {name}", await Bench.PlanAsync(large, query, isIndexed: true), StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", await Bench.PlanAsync(large, query, isIndexed: true), StringComparison.Ordinal);
        var filtered = await Bench.PlanAsync(large, query, isIndexed: true, DatasetBench.Filter("""{"n":{"$gte":20}}"""));
        Assert.Contains($"Index Scan using {name}", filtered, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", filtered, StringComparison.Ordinal);
        foreach (var dataset in new[] { small, large })
        {
            var plan = await Bench.PlanAsync(dataset, query, isIndexed: false);
            Assert.DoesNotContain(name, plan, StringComparison.Ordinal);
            Assert.Contains("Sort", plan, StringComparison.Ordinal);
        }

        // What the counts of the server say of the searches themselves.
        Assert.Equal((0, 1), (await ReadsOfAsync(name, small), await ReadsOfAsync(name, large)));
    }

    [Fact]
    public async Task An_index_that_a_broken_build_left_is_made_again()
    {
        var dataset = await AddAsync(150);
        var name = $"chunk_vectors_{dataset.Id:N}_{DatasetBench.Dimensions}";
        var failed = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(
            dataset, $"CREATE INDEX CONCURRENTLY {name} ON chunk_vectors USING hnsw ((embedding::halfvec(7)) halfvec_ip_ops) WHERE dataset_id = '{dataset.Id:D}'"));
        Assert.Contains("expected 7 dimensions", failed.Message, StringComparison.Ordinal);
        Assert.False(Assert.Single(await IndexesAsync(dataset)).IsValid);

        await Bench.Indexes.MakeWantedAsync(Cancel);

        var made = Assert.Single(await IndexesAsync(dataset));
        Assert.True(made.IsValid);
        Assert.Contains("halfvec(384)", made.Definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_goes_with_its_dataset_and_with_its_model()
    {
        // Arrange
        var (gone, changed, kept) = (await AddAsync(61), await AddAsync(61), await AddAsync(61));
        await Bench.Indexes.MakeWantedAsync(Cancel);
        await Bench.AddModelAsync("small-words", 64);

        // Act: vectors of the new model are written while the index for the old one's is there.
        await Bench.ChangeAsync(changed, d => d.EmbeddingModel = "small-words");
        Assert.Equal(61, await Bench.RunJobsAsync());
        await Bench.Indexes.MakeWantedAsync(Cancel);
        await using (var db = Bench.NewContext())
        {
            await db.Datasets.Where(d => d.WorkspaceId == Bench.Workspace && d.Id == gone.Id).ExecuteDeleteAsync(Cancel);
        }

        Assert.Single(await IndexesAsync(gone));
        Assert.Equal(2, (await IndexesAsync(changed)).Count);
        using (var service = new VectorIndexService(Bench.Indexes, new DatabaseNews(TimeProvider.System), TimeProvider.System, NullLogger<VectorIndexService>.Instance))
        {
            await service.StartAsync(Cancel);
            while ((await IndexesAsync(gone)).Count + (await IndexesAsync(changed)).Count > 1)
            {
                await Task.Delay(20, Cancel);
            }

            await service.StopAsync(Cancel);
        }

        // Assert
        Assert.Contains("halfvec(64)", Assert.Single(await IndexesAsync(changed)).Definition, StringComparison.Ordinal);
        Assert.Single(await IndexesAsync(kept));
    }

    [Fact]
    public async Task A_filter_that_leaves_few_of_many_finds_them_all()
    {
        var dataset = await AddAsync(150);
        await Bench.Indexes.MakeWantedAsync(Cancel);

        var found = await Bench.FindAsync(dataset, "word3 number3", """{"n":{"$in":[9,99,149]}}""", most: 10);

        Assert.Equal(["word149", "word9", "word99"], found.Hits.Select(h => h.Text.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Vectors_too_long_for_an_index_are_compared_one_by_one()
    {
        await Bench.AddModelAsync("long-words", 4_001);
        var dataset = await AddAsync(61, "long-words");
        await Bench.Indexes.MakeWantedAsync(Cancel);

        var found = await Bench.FindAsync(dataset, "word60", most: 1);

        Assert.Empty(await IndexesAsync(dataset));
        Assert.Null(found.Note);
        Assert.StartsWith("word60 ", Assert.Single(found.Hits).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vectors_made_before_the_extension_was_there_move_into_it()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "a.txt", "Green tea");
        await Bench.RunJobsAsync();
        var halves = VectorBytes.ToHalves(WordVector.Of("Green tea", DatasetBench.Dimensions));
        await RunAsync(dataset, "DELETE FROM chunk_vectors WHERE workspace_id = @ws AND dataset_id = @ds");
        await RunAsync(dataset, "UPDATE chunks SET vector = @vector WHERE workspace_id = @ws AND dataset_id = @ds", c => c.Parameters.AddWithValue("vector", halves));

        await Bench.ChangeAsync(dataset, _ => { });
        await Bench.RunJobsAsync();

        Assert.Equal(1, await CountAsync(dataset));
        Assert.Null(Assert.Single(await Bench.ChunksAsync(dataset)).Vector);
    }

    private async Task<long> CountAsync(Dataset dataset) =>
        (long)(await RunAsync(dataset, "SELECT count(*) FROM chunk_vectors WHERE workspace_id = @ws AND dataset_id = @ds"))!;

    private async Task<Dataset> AddAsync(int chunks, string model = DatasetBench.Model)
    {
        var dataset = await Bench.AddDatasetAsync(model);
        var rows = Enumerable.Range(0, chunks).Select(n => string.Create(CultureInfo.InvariantCulture, $"word{n} number{n % 7} and item{n * 31 % 50},{n}"));
        await Bench.PutFileAsync(dataset, "a.csv", "text,n\n" + string.Join('\n', rows));
        Assert.Equal(chunks, await Bench.RunJobsAsync());
        return dataset;
    }

    private async Task<List<(string Name, string Definition, bool IsValid)>> IndexesAsync(Dataset dataset)
    {
        await using var connection = await Bench.Source.OpenConnectionAsync(Cancel);
        await using var command = new NpgsqlCommand(
            "SELECT c.relname, pg_get_indexdef(c.oid), i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE @name ORDER BY c.relname",
            connection);
        command.Parameters.AddWithValue("name", $"chunk_vectors_{dataset.Id:N}_%");
        await using var rows = await command.ExecuteReaderAsync(Cancel);
        var indexes = new List<(string, string, bool)>();
        while (await rows.ReadAsync(Cancel))
        {
            indexes.Add((rows.GetString(0), rows.GetString(1), rows.GetBoolean(2)));
        }

        return indexes;
    }

    /// <summary>How often a search of the dataset reads the index.</summary>
    private async Task<long> ReadsOfAsync(string index, Dataset dataset)
    {
        var before = await CountReadsAsync();
        await Bench.FindAsync(dataset, "word3 number3");
        return await CountReadsAsync() - before;

        async Task<long> CountReadsAsync()
        {
            await RunAsync(dataset, "SELECT pg_stat_force_next_flush()");
            return (long)(await RunAsync(
                dataset, "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = @name", c => c.Parameters.AddWithValue("name", index)))!;
        }
    }

    private async Task<object?> RunAsync(Dataset dataset, string sql, Action<NpgsqlCommand>? bind = null)
    {
        await using var connection = await Bench.Source.OpenConnectionAsync(Cancel);
        await using var command = new DatasetScope(Bench.Workspace, dataset.Id).Command(connection, sql);
        bind?.Invoke(command);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
