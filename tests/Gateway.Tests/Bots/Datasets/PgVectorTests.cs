using System.Globalization;
using Gateway.Bots;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;
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
        var dataset = await Bench.AddDatasetAsync();
        var rows = Enumerable.Range(0, 150).Select(n => string.Create(CultureInfo.InvariantCulture, $"word{n} number{n % 7} and item{n * 31 % 50},{n}"));
        await Bench.PutFileAsync(dataset, "a.csv", "text,n\n" + string.Join('\n', rows));
        await Bench.RunJobsAsync();

        Assert.Contains("halfvec(384)", await IndexAsync(dataset), StringComparison.Ordinal);
        var scope = new DatasetScope(Bench.Workspace, dataset.Id);
        foreach (var n in new[] { 3, 77, 149 })
        {
            var query = Gateway.Simulator.WordVector.Of($"word{n} number{n % 7}", DatasetBench.Dimensions);
            var exact = await Bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, 5, isLarge: false, Cancel);
            var indexed = await Bench.Index.SearchAsync(scope, DatasetBench.Model, query, null, 5, isLarge: true, Cancel);

            Assert.Equal(exact.Select(e => Math.Round(e.Similarity, 3)), indexed.Select(i => Math.Round(i.Similarity, 3)));
        }

        var found = await Bench.FindAsync(dataset, "word140", """{"n":{"$gte":100}}""");
        Assert.StartsWith("word140 ", found.Hits[0].Text, StringComparison.Ordinal);
        Assert.Null(found.Note);

        await Bench.AddModelAsync("small-words", 64);
        await Bench.ChangeAsync(dataset, d => d.EmbeddingModel = "small-words");
        Assert.Equal(150, await Bench.RunJobsAsync());
        Assert.Contains("halfvec(64)", await IndexAsync(dataset), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vectors_made_before_the_extension_was_there_move_into_it()
    {
        var dataset = await Bench.AddDatasetAsync();
        await Bench.PutFileAsync(dataset, "a.txt", "Green tea");
        await Bench.RunJobsAsync();
        var halves = VectorBytes.ToHalves(Gateway.Simulator.WordVector.Of("Green tea", DatasetBench.Dimensions));
        await RunAsync(dataset, "DELETE FROM chunk_vectors WHERE workspace_id = @ws AND dataset_id = @ds");
        await RunAsync(dataset, "UPDATE chunks SET vector = @vector WHERE workspace_id = @ws AND dataset_id = @ds", c => c.Parameters.AddWithValue("vector", halves));

        await Bench.ChangeAsync(dataset, _ => { });
        await Bench.RunJobsAsync();

        Assert.Equal(1, await CountAsync(dataset));
        Assert.Null(Assert.Single(await Bench.ChunksAsync(dataset)).Vector);
    }

    private async Task<long> CountAsync(Dataset dataset) =>
        (long)(await RunAsync(dataset, "SELECT count(*) FROM chunk_vectors WHERE workspace_id = @ws AND dataset_id = @ds"))!;

    private async Task<string> IndexAsync(Dataset dataset) => (string?)await RunAsync(
        dataset, "SELECT indexdef FROM pg_indexes WHERE indexname LIKE @name", c => c.Parameters.AddWithValue("name", $"chunk_vectors_{dataset.Id:N}_%")) ?? "none";

    private async Task<object?> RunAsync(Dataset dataset, string sql, Action<NpgsqlCommand>? bind = null)
    {
        await using var connection = await Bench.Source.OpenConnectionAsync(Cancel);
        await using var command = new DatasetScope(Bench.Workspace, dataset.Id).Command(connection, sql);
        bind?.Invoke(command);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
