using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

[CollectionDefinition(Name)]
public sealed class FaultTestsShareOneGateway : ICollectionFixture<FaultSetup>
{
    public const string Name = "Faults";
}

/// <summary>
/// One real gateway in front of four scripted providers, <c>a</c> to <c>d</c>, and one where nobody listens. A test takes
/// models of a profile that no other test has.
/// </summary>
public sealed class FaultSetup(TestPostgres postgres, SchemaValidator schemas) : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FaultProvider> _providers = [];

    public SchemaValidator Schemas { get; } = schemas;

    public GatewayProcess Gateway { get; private set; } = null!;

    /// <summary>With a key of workspace <c>acme</c>, whose bots are named after their models.</summary>
    public HttpClient Client { get; private set; } = null!;

    public string Key { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            _providers[name] = await FaultProvider.StartAsync();
        }

        var urls = _providers.ToDictionary(p => p.Key, p => p.Value.BaseUrl);
        urls["nowhere"] = $"http://127.0.0.1:{FreePort.Next()}/v1";
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel), Yaml = FaultProfiles.Yaml(urls) },
            cancel);
        Key = (await Gateway.CreateKeyAsync("acme", cancel: cancel)).Text;
        Client = Gateway.Client(Key);
    }

    /// <summary>The next model of a profile, which nobody else uses.</summary>
    public string Take(string profile)
    {
        var number = _taken.AddOrUpdate(profile, 0, (_, last) => last + 1);
        Assert.True(number < FaultProfiles.CountOf(profile), $"All models '{profile}' are taken: raise their Count.");
        return string.Create(CultureInfo.InvariantCulture, $"{profile}-{number}");
    }

    internal FaultProvider Provider(string name) => _providers[name];

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        foreach (var provider in _providers.Values)
        {
            await provider.DisposeAsync();
        }
    }
}
