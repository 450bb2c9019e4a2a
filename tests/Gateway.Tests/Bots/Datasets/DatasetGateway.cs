using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Simulator;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>A gateway with two workspaces, each with a dataset <c>handbook</c> whose vectors the simulator makes.</summary>
public sealed class DatasetGateway(TestPostgres postgres) : IAsyncLifetime
{
    private string _database = "";
    private SimulatorServer? _simulator;

    public GatewayProcess Gateway { get; private set; } = null!;

    public Guid Acme { get; private set; }

    /// <summary>With workspace acme's admin key.</summary>
    public HttpClient Admin { get; private set; } = null!;

    /// <summary>With the other workspace's admin key.</summary>
    public HttpClient Other { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        _database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using (var seed = await Seed.OpenAsync(_database, Cancel))
        {
            Acme = seed.AddWorkspace("acme");
            var other = seed.AddWorkspace("other");
            var provider = seed.AddProvider("sim", $"{_simulator.Address}v1");
            await seed.SaveAsync(Cancel);
            await using var db = NewContext();
            AddModel(db, provider, "words", "words");
            // Slow enough to be killed in the middle.
            AddModel(db, provider, "slow-words", "slow-words!delay=1s");
            AddDataset(db, Acme, "handbook", "words");
            AddDataset(db, Acme, "large", "slow-words");
            AddDataset(db, other, "handbook", "words");
            await db.SaveChangesAsync(Cancel);
        }

        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = _database,
                Settings = new Dictionary<string, string>
                {
                    ["Gateway__EncryptionKey"] = Seed.EncryptionKey,
                    ["Gateway__JobLease"] = "00:00:03",
                    ["Gateway__MaxUploadBytes"] = "2000000",
                },
            }, Cancel);
        Admin = Gateway.Client((await Gateway.CreateKeyAsync("acme", scopes: ["admin"], cancel: Cancel)).Text);
        Other = Gateway.Client((await Gateway.CreateKeyAsync("other", scopes: ["admin"], cancel: Cancel)).Text);
    }

    public string ConnectionString => _database;

    internal GatewayDb NewContext() => new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_database).Options);

    public static async Task<JsonNode> UploadAsync(HttpClient client, string dataset, string name, byte[] content)
    {
        using var form = new MultipartFormDataContent();
        using var part = new ByteArrayContent(content);
        part.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(part, "file", name);
        using var reply = await client.PostAsync($"/admin/v1/datasets/{dataset}/files", form, Cancel);
        var text = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(reply.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Waits for the job's end.</summary>
    public static async Task<JsonNode> WaitAsync(HttpClient client, string dataset, string job)
    {
        for (var tries = 0; tries < 1_200; tries++)
        {
            var found = (await client.GetFromJsonAsync<JsonNode>($"/admin/v1/datasets/{dataset}/jobs/{job}", Cancel))!;
            if ((string?)found["status"] is "done" or "failed")
            {
                return found;
            }

            await Task.Delay(100, Cancel);
        }

        throw new TimeoutException("The job did not end.");
    }

    public async ValueTask DisposeAsync()
    {
        Admin?.Dispose();
        Other?.Dispose();
        await Gateway.DisposeAsync();
        await _simulator!.DisposeAsync();
    }

    private static void AddModel(GatewayDb db, Guid provider, string name, string upstream) => db.EmbeddingModels.Add(new EmbeddingModelRow
    {
        Id = Guid.CreateVersion7(),
        Name = name,
        ProviderId = provider,
        UpstreamModel = upstream,
        Dimensions = 384,
        PriceInput = 1,
    });

    private static void AddDataset(GatewayDb db, Guid workspace, string name, string model) => db.Datasets.Add(new DatasetRow
    {
        WorkspaceId = workspace,
        Id = Guid.CreateVersion7(),
        Name = name,
        Description = "How things are done.",
        EmbeddingModel = model,
        Language = "english",
        CreatedAt = DateTime.UtcNow,
    });
}
