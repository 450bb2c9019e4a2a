using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using OpenAI;
using OpenAI.Chat;

namespace Gateway.Tests.Sdk;

[CollectionDefinition(Name)]
public sealed class SdkTestsShareOneGateway : ICollectionFixture<SdkSetup>
{
    public const string Name = "Official SDKs";
}

/// <summary>
/// SDK → <see cref="Proxy"/> → one real gateway → its demo simulator, or <see cref="Upstream"/> for what the simulator
/// would not do. <c>model/name=scripted</c> and <c>bot/id=scripted</c> are answered by <see cref="Upstream"/>.
/// </summary>
public sealed class SdkSetup(TestPostgres postgres, SchemaValidator schemas) : IAsyncLifetime
{
    public const string DemoModel = "model/name=demo";
    public const string DemoBot = "bot/id=demo";
    public const string ScriptedModel = "model/name=scripted";
    public const string ScriptedBot = "bot/id=scripted";

    public SchemaValidator Schemas { get; } = schemas;

    public FakeUpstream Upstream { get; private set; } = null!;

    public RecordingProxy Proxy { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    /// <summary>What an SDK is given as its base URL.</summary>
    public string ApiUrl => Proxy.BaseUrl + "/v1";

    private GatewayKey DefaultKey { get; set; } = null!;

    private GatewayKey ScriptedKey { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Upstream = await FakeUpstream.StartAsync();
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel), Yaml = Yaml(Upstream.BaseUrl) }, cancel);
        Proxy = await RecordingProxy.StartAsync(Gateway.BaseUrl);
        DefaultKey = await Gateway.CreateKeyAsync(cancel: cancel);
        ScriptedKey = await Gateway.CreateKeyAsync("acme", cancel: cancel);
    }

    /// <summary>The key to use with a selector: the scripted bot lives in a workspace of its own.</summary>
    public string KeyFor(string selector) => (selector == ScriptedBot ? ScriptedKey : DefaultKey).Text;

    /// <param name="retries">Null leaves the SDK's own default.</param>
    public OpenAIClientOptions Options(int? retries = 0)
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri(ApiUrl), NetworkTimeout = TimeSpan.FromSeconds(30) };
        if (retries is { } times)
        {
            options.RetryPolicy = new ClientRetryPolicy(times);
        }

        return options;
    }

    public ChatClient Chat(string selector, int? retries = 0, string? key = null) =>
        new(selector, new ApiKeyCredential(key ?? KeyFor(selector)), Options(retries));

    /// <summary>Runs a script of <c>Node/sdk</c> against the stack.</summary>
    public Task<IReadOnlyList<JsonNode>> NodeAsync(
        string script, string selector, CancellationToken cancel, params (string Name, string Value)[] environment)
    {
        var all = environment.ToDictionary(e => e.Name, e => e.Value);
        all["BASE_URL"] = ApiUrl;
        all["API_KEY"] = KeyFor(selector);
        all["MODEL"] = selector;
        return Node.RunScriptAsync(Path.Combine("sdk", script), all, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (Proxy is not null)
        {
            await Proxy.DisposeAsync();
        }

        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        if (Upstream is not null)
        {
            await Upstream.DisposeAsync();
        }
    }

    private static string Yaml(string upstreamUrl) =>
        $"""
        providers:
          - name: fake
            baseUrl: {upstreamUrl}
            apiKey: key-of-the-upstream
        models:
          - name: scripted
            deployments: [ {"{ provider: fake }"} ]
            retries: 0
            breaker: {"{ minimum: 1000000 }"}
        workspaces:
          - name: acme
            bots:
              - id: scripted
                name: Scripted
                description: Says what the test's upstream says.
                model: scripted
                backstory: |
                  You say what the script says.
        """;
}
