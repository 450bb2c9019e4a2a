using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Limits;
using Gateway.Simulator;
using Gateway.Upstream;
using Gateway.Usage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>
/// Datasets over a database, without a gateway around them: the real parts, put together as the setup does, with the
/// simulator as the provider of vectors. Jobs are done when asked for. One workspace, several datasets.
/// </summary>
internal sealed class DatasetBench : IAsyncDisposable
{
    public const string Model = "words";
    public const int Dimensions = 384;

    private readonly NpgsqlDataSource _source;
    private readonly SimulatorServer _simulator;
    private readonly Transport _transport = new();
    private readonly SecretBox _box = new(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes));
    private readonly DbContextOptions<GatewayDb> _options;
    private readonly Guid _provider = Guid.CreateVersion7();

    private DatasetBench(NpgsqlDataSource source, SimulatorServer simulator, GatewaySettings settings)
    {
        (_source, _simulator, Settings) = (source, simulator, settings);
        _options = GatewayDatabase.Options(source);
        var clock = TimeProvider.System;
        Catalog = new Catalog(settings, _box, NullLogger<Catalog>.Instance);
        Jobs = new JobTable(source, settings, clock);
        Writer = new RecordWriter(source, Jobs);
        Indexes = new VectorIndexes(source, clock, NullLogger<VectorIndexes>.Instance);
        Index = new VectorIndex(source, settings, Indexes, NullLogger<VectorIndex>.Instance);
        Scans = new VectorScans(source, clock);
        // No limits are set, so nothing is leased.
        var account = new EmbedderAccount(new Embeddings(_transport), new UsageJournal(clock), new Limiter(null!, new WorkspaceLimits(), clock));
        Vectors = new ChunkVectors(source, Index, account, Catalog, Jobs);
        Run = new IngestRun(source, Writer, new Reindexer(source, Jobs), Vectors, Index, Indexes, Catalog, settings, clock);
        Texts = new FullText(source);
        Search = new DatasetSearch(
            source, Texts, Index, Scans, new DatasetSize(source, clock), account, Catalog, settings, NullLogger<DatasetSearch>.Instance);
    }

    public GatewaySettings Settings { get; }

    public NpgsqlDataSource Source => _source;

    public Catalog Catalog { get; }

    public JobTable Jobs { get; }

    public RecordWriter Writer { get; }

    public VectorIndexes Indexes { get; }

    public VectorIndex Index { get; }

    public VectorScans Scans { get; }

    public ChunkVectors Vectors { get; }

    public IngestRun Run { get; }

    public FullText Texts { get; }

    public DatasetSearch Search { get; }

    public Guid Workspace { get; } = Guid.CreateVersion7();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<DatasetBench> StartAsync(string connectionString, GatewaySettings? settings = null)
    {
        var source = NpgsqlDataSource.Create(connectionString);
        var simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        var bench = new DatasetBench(source, simulator, settings ?? new GatewaySettings());
        await using var db = bench.NewContext();
        await db.Database.MigrateAsync(Cancel);
        db.Workspaces.Add(new WorkspaceRow { Id = bench.Workspace, Name = $"bench-{bench.Workspace:N}", CreatedAt = DateTime.UtcNow });
        db.Providers.Add(new ProviderRow { Id = bench._provider, Name = $"sim-{bench._provider:N}", BaseUrl = $"{simulator.Address}v1" });
        await db.SaveChangesAsync(Cancel);
        await bench.AddModelAsync(Model, Dimensions);
        return bench;
    }

    public GatewayDb NewContext() => new(_options);

    /// <param name="baseUrl">Of a provider of its own; null: the simulator.</param>
    public async Task AddModelAsync(string name, int dimensions, string? upstream = null, string? baseUrl = null)
    {
        await using var db = NewContext();
        if (!await db.EmbeddingModels.AnyAsync(m => m.Name == name, Cancel))
        {
            var provider = baseUrl is null ? null : new ProviderRow { Id = Guid.CreateVersion7(), Name = $"provider-{name}", BaseUrl = baseUrl };
            db.Providers.AddRange(provider is null ? [] : [provider]);
            db.EmbeddingModels.Add(new EmbeddingModelRow
            {
                Id = Guid.CreateVersion7(),
                Name = name,
                ProviderId = provider?.Id ?? _provider,
                UpstreamModel = upstream,
                Dimensions = dimensions,
            });
            await db.SaveChangesAsync(Cancel);
        }

        await Catalog.ReadAsync(db, 0, Cancel);
    }

    public async Task<Dataset> AddDatasetAsync(string? model = Model, Action<DatasetRow>? change = null)
    {
        await using var db = NewContext();
        var row = new DatasetRow
        {
            WorkspaceId = Workspace,
            Id = Guid.CreateVersion7(),
            Name = $"set-{Guid.NewGuid():N}",
            Description = "Things to know.",
            EmbeddingModel = model,
            Language = "english",
            CreatedAt = DateTime.UtcNow,
        };
        change?.Invoke(row);
        db.Datasets.Add(row);
        await db.SaveChangesAsync(Cancel);
        return BotReader.Read(row);
    }

    public async Task ChangeAsync(Dataset dataset, Action<DatasetRow> change)
    {
        await using var db = NewContext();
        change(await db.Datasets.SingleAsync(d => d.WorkspaceId == Workspace && d.Id == dataset.Id, Cancel));
        await IngestJobs.QueueAsync(db, Workspace, dataset.Id, null, TimeProvider.System, Cancel);
        await db.SaveChangesAsync(Cancel);
    }

    /// <summary>Writes or replaces a file and queues its job.</summary>
    public async Task<Guid> PutFileAsync(Dataset dataset, string name, string text)
    {
        await using var db = NewContext();
        var row = await db.DatasetFiles.SingleOrDefaultAsync(f => f.WorkspaceId == Workspace && f.DatasetId == dataset.Id && f.Name == name, Cancel);
        if (row is null)
        {
            row = new DatasetFileRow
            {
                WorkspaceId = Workspace,
                DatasetId = dataset.Id,
                Id = Guid.CreateVersion7(),
                Name = name,
                Content = [],
                Hash = [],
                CreatedAt = DateTime.UtcNow,
            };
            db.DatasetFiles.Add(row);
        }

        row.Content = Encoding.UTF8.GetBytes(text);
        await IngestJobs.QueueAsync(db, Workspace, dataset.Id, row.Id, TimeProvider.System, Cancel);
        await db.SaveChangesAsync(Cancel);
        return row.Id;
    }

    public async Task DeleteFileAsync(Dataset dataset, Guid file)
    {
        await using var db = NewContext();
        await db.DatasetFiles.Where(f => f.WorkspaceId == Workspace && f.DatasetId == dataset.Id && f.Id == file).ExecuteDeleteAsync(Cancel);
        await IngestJobs.QueueAsync(db, Workspace, dataset.Id, file, TimeProvider.System, Cancel);
        await db.SaveChangesAsync(Cancel);
    }

    /// <summary>Does all jobs that are due.</summary>
    /// <returns>How many vectors they made.</returns>
    public async Task<int> RunJobsAsync()
    {
        var made = 0;
        while (await Jobs.ClaimAsync(Cancel) is { } job)
        {
            made += (await Run.RunAsync(job, Cancel)).Vectors;
            await Jobs.EndAsync(job, null, Cancel);
        }

        return made;
    }

    public async Task<SearchResult> FindAsync(Dataset dataset, string question, string? filter = null, int? most = null) =>
        await Search.FindAsync(dataset, new SearchQuestion(question, Filter(filter), most, "bench", Guid.Empty), Cancel);

    public static MetadataFilter? Filter(string? json)
    {
        using var document = JsonDocument.Parse(json ?? "null");
        var filter = MetadataFilter.Read(document.RootElement, out var wrong);
        Assert.Null(wrong);
        return filter;
    }

    public async Task<List<ChunkRow>> ChunksAsync(Dataset dataset)
    {
        await using var db = NewContext();
        return await db.Chunks.AsNoTracking().Where(c => c.WorkspaceId == Workspace && c.DatasetId == dataset.Id).OrderBy(c => c.Id).ToListAsync(Cancel);
    }

    /// <summary>Fails unless the counts of lexemes are what a count of them says.</summary>
    public async Task AssertLexemesAsync(Dataset dataset)
    {
        await using var connection = await _source.OpenConnectionAsync(Cancel);
        await using var command = new DatasetScope(Workspace, dataset.Id).Command(
            connection,
            """
            SELECT count(*), count(*) FILTER (WHERE a.chunks IS DISTINCT FROM b.chunks)
            FROM (SELECT lexeme, chunks FROM lexemes WHERE workspace_id = @ws AND dataset_id = @ds) a
            FULL JOIN (SELECT l.lexeme, count(*) AS chunks FROM chunks c, unnest(tsvector_to_array(c.lexemes)) AS l(lexeme)
                WHERE c.workspace_id = @ws AND c.dataset_id = @ds GROUP BY l.lexeme) b USING (lexeme)
            """);
        await using var row = await command.ExecuteReaderAsync(Cancel);
        Assert.True(await row.ReadAsync(Cancel));
        Assert.Equal(0, row.GetInt64(1));
    }

    /// <summary>What Postgres does for a search by vectors, as EXPLAIN says it.</summary>
    public async Task<string> PlanAsync(Dataset dataset, float[] query, bool isIndexed, MetadataFilter? filter = null)
    {
        await using var connection = await _source.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using var command = await VectorIndex.ComposeAsync(
            connection, new DatasetScope(Workspace, dataset.Id), Model, query, filter, 50, isIndexed, Cancel);
        command.CommandText = $"EXPLAIN (COSTS OFF) {command.CommandText}";
        await using var rows = await command.ExecuteReaderAsync(Cancel);
        var plan = new StringBuilder();
        while (await rows.ReadAsync(Cancel))
        {
            plan.AppendLine(rows.GetString(0));
        }

        return plan.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        Index.Dispose();
        Scans.Dispose();
        _transport.Dispose();
        await _simulator.DisposeAsync();
        await _source.DisposeAsync();
        _box.Dispose();
    }
}
