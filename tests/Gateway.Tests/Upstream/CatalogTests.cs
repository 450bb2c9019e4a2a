using System.Security.Cryptography;
using Gateway.Data;
using Gateway.Tests.Support;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Upstream;

/// <summary>What a change of the configuration makes the catalog read: no more than what changed.</summary>
public sealed class CatalogTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_of_no_model_leaves_the_snapshot_as_it_is()
    {
        await using var bench = await CatalogBench.StartAsync(postgres);
        var before = bench.Catalog.Current;

        await bench.ChangeAsync(db => db.Workspaces.Add(new WorkspaceRow { Id = Guid.CreateVersion7(), Name = "new", CreatedAt = DateTime.UtcNow }));

        Assert.Same(before, bench.Catalog.Current);
    }

    [Fact]
    public async Task A_change_of_one_model_reads_that_one_alone()
    {
        await using var bench = await CatalogBench.StartAsync(postgres);
        var before = bench.Catalog.Current;

        await bench.ChangeAsync(async db => (await db.Models.SingleAsync(m => m.Name == "one", Cancel)).DefaultOutputTokens = 7);

        Assert.Same(Find(before, "two"), bench.Find("two"));
        Assert.Equal(7, bench.Find("one")!.DefaultOutputTokens);
        Assert.Null(Find(before, "one")!.DefaultOutputTokens);
    }

    [Fact]
    public async Task A_changed_deployment_a_new_model_and_one_that_is_gone_are_seen()
    {
        await using var bench = await CatalogBench.StartAsync(postgres);
        var before = bench.Catalog.Current;

        await bench.ChangeAsync(async db =>
        {
            var models = await db.Models.Include(m => m.Deployments).ToDictionaryAsync(m => m.Name, Cancel);
            models["one"].Deployments[0].Weight = 3;
            db.Models.Remove(models["two"]);
        });
        await bench.AddModelAsync("three");

        Assert.Equal(3, Assert.Single(bench.Find("one")!.Deployments).Weight);
        Assert.Null(bench.Find("two"));
        Assert.NotNull(bench.Find("three"));
        Assert.Equal(["one", "two"], before.Models.Select(m => m.Name).Order());
    }

    [Fact]
    public async Task A_model_that_was_removed_and_made_again_between_two_readings_is_there()
    {
        await using var bench = await CatalogBench.StartAsync(postgres);

        await bench.ChangeAsync(async db => db.Models.Remove(await db.Models.SingleAsync(m => m.Name == "one", Cancel)), isRead: false);
        await bench.AddModelAsync("one");

        Assert.NotNull(bench.Find("one"));
    }

    [Fact]
    public async Task A_changed_provider_reaches_every_model_of_it()
    {
        await using var bench = await CatalogBench.StartAsync(postgres);

        await bench.ChangeAsync(async db => (await db.Providers.SingleAsync(Cancel)).BaseUrl = "http://127.0.0.1:8/v1");

        Assert.All(bench.Catalog.Current.Models, m => Assert.Equal("http://127.0.0.1:8/v1", Assert.Single(m.Deployments).Provider.BaseUrl));
        Assert.Equal(2, bench.Catalog.Current.Models.Count());
    }

    [Fact]
    public async Task What_is_built_in_comes_back_when_the_operators_own_is_gone()
    {
        await using var bench = await CatalogBench.StartAsync(postgres, new Uri("http://127.0.0.1:7/"));
        var builtIn = bench.Find(Catalog.DemoModel);

        await bench.AddModelAsync(Catalog.DemoModel);
        var hidden = bench.Find(Catalog.DemoModel);
        await bench.ChangeAsync(async db => db.Models.Remove(await db.Models.SingleAsync(m => m.Name == Catalog.DemoModel, Cancel)));

        Assert.NotNull(builtIn);
        Assert.Same(builtIn, hidden);
        Assert.Same(builtIn, bench.Find(Catalog.DemoModel));
    }

    private static Model? Find(CatalogSnapshot snapshot, string name) => snapshot.Find(name, Catalog.DemoWorkspace, name)?.Model;

    /// <summary>A catalog over a database with a provider and the models <c>one</c> and <c>two</c>, which reads after each change.</summary>
    private sealed class CatalogBench : IAsyncDisposable
    {
        private readonly DbContextOptions<GatewayDb> _options;
        private readonly Seed _seed;
        private readonly Guid _provider;
        private readonly SecretBox _box = new(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes));
        private long _version;

        private CatalogBench(string database, Seed seed)
        {
            _options = new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(database).Options;
            _seed = seed;
            _provider = seed.AddProvider("closed", "http://127.0.0.1:9/v1");
            Catalog = new Catalog(new GatewaySettings(), _box, NullLogger<Catalog>.Instance);
        }

        public Catalog Catalog { get; }

        /// <param name="demo">Where the built-in model is asked; null: there is none.</param>
        public static async Task<CatalogBench> StartAsync(TestPostgres postgres, Uri? demo = null)
        {
            var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
            var bench = new CatalogBench(database, await Seed.OpenAsync(database, Cancel));
            if (demo is not null)
            {
                bench.Catalog.AddDemo(demo);
            }

            bench._seed.AddModel("one", bench._provider);
            bench._seed.AddModel("two", bench._provider);
            await bench._seed.SaveAsync(Cancel);
            await bench.ReadAsync();
            return bench;
        }

        public Model? Find(string name) => CatalogTests.Find(Catalog.Current, name);

        public async Task AddModelAsync(string name)
        {
            _seed.AddModel(name, _provider);
            await _seed.SaveAsync(Cancel);
            await ReadAsync();
        }

        public Task ChangeAsync(Action<GatewayDb> change) => ChangeAsync(db =>
        {
            change(db);
            return Task.CompletedTask;
        });

        public async Task ChangeAsync(Func<GatewayDb, Task> change, bool isRead = true)
        {
            await using var db = new GatewayDb(_options);
            await change(db);
            await db.SaveChangesAsync(Cancel);
            if (isRead)
            {
                await ReadAsync();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _seed.DisposeAsync();
            _box.Dispose();
        }

        private async Task ReadAsync()
        {
            await using var db = new GatewayDb(_options);
            var version = await db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel);
            await Catalog.ReadAsync(db, _version, Cancel);
            _version = version;
        }
    }
}
