using Gateway.Tests.Support;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>One bench for the tests of a class, each of which has a dataset of its own.</summary>
public sealed class DatasetBenchFixture(TestPostgres postgres) : IAsyncLifetime
{
    internal DatasetBench Bench { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Bench = await DatasetBench.StartAsync(await postgres.CreateDatabaseAsync(cancel: TestContext.Current.CancellationToken));

    public ValueTask DisposeAsync() => Bench.DisposeAsync();
}
