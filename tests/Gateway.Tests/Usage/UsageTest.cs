using Gateway.Tests.Support;

namespace Gateway.Tests.Usage;

[CollectionDefinition(Name)]
public sealed class UsageTestsShareOneGateway : ICollectionFixture<SharedUsageGateway>
{
    public const string Name = "Usage";
}

/// <summary>One gateway for the tests of rows and reports.</summary>
public sealed class SharedUsageGateway(TestPostgres postgres) : IAsyncLifetime
{
    internal UsageGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Gateway = await UsageGateway.StartAsync(postgres, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }
    }
}

/// <summary>What tests on a <see cref="SharedUsageGateway"/> share: no rows of others before each of them.</summary>
[Collection(UsageTestsShareOneGateway.Name)]
public abstract class UsageTest(SharedUsageGateway shared) : IAsyncLifetime
{
    internal UsageGateway Gateway { get; } = shared.Gateway;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await Gateway.ResetAsync(Cancel);

    public ValueTask DisposeAsync()
    {
        Assert.False(Gateway.Process.HasExited, "The gateway has ended.");
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
