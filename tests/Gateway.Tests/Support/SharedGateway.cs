namespace Gateway.Tests.Support;

/// <summary>
/// A gateway on a fresh database that the tests of a class share, one after the other. A class fixture derives from it to
/// say with what it starts; the tests leave each other alone by names of their own.
/// </summary>
/// <param name="yaml">The text of its <c>gateway.yaml</c>; null gives none.</param>
public abstract class SharedGateway(TestPostgres postgres, string? yaml = null) : IAsyncLifetime
{
    public GatewayProcess Gateway { get; private set; } = null!;

    public string ConnectionString { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = ConnectionString,
                Yaml = yaml,
                Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Seed.EncryptionKey },
            },
            cancel);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}
