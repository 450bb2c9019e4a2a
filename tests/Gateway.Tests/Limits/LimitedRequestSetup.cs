using Gateway.Tests.Support;

namespace Gateway.Tests.Limits;

/// <summary>A gateway for all tests of limited requests, each of which limits keys of its own; workspace <c>limited</c> is one test's.</summary>
public sealed class LimitedRequestSetup(TestPostgres postgres) : IAsyncLifetime
{
    private FakeUpstream? _upstream;

    public GatewayProcess Gateway { get; private set; } = null!;

    public string ConnectionString { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        _upstream = await FakeUpstream.StartAsync();
        ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = ConnectionString, Yaml = Yaml(_upstream.BaseUrl), Settings = LimitedGateway.Settings }, cancel);
    }

    /// <summary>The upstream of all models, with nothing asked and nothing to answer yet.</summary>
    public FakeUpstream FreshUpstream()
    {
        _upstream!.Reset();
        return _upstream;
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }
    }

    private static string Yaml(string upstream) =>
        $$"""
        providers: [ { name: fake, baseUrl: "{{upstream}}" } ]
        models:
          - { name: m, deployments: [ { provider: fake } ] }
          - { name: priced, deployments: [ { provider: fake } ], price: { input: 1, cachedInput: 1, output: 10 } }
          - { name: cheap, deployments: [ { provider: fake } ], price: { input: 1, output: 1 }, fallbacks: [dear, unpriced] }
          - { name: dear, deployments: [ { provider: fake } ], price: { input: 1, output: 1000 } }
          - { name: unpriced, deployments: [ { provider: fake } ] }
        workspaces: [ { name: acme }, { name: limited, bots: [ { id: support, model: m, backstory: Hello. } ] } ]
        """;
}
