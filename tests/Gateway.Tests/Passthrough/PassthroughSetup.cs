using System.Net.Http.Headers;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

[CollectionDefinition(Name)]
public sealed class PassthroughTestsShareOneGateway : ICollectionFixture<PassthroughSetup>
{
    public const string Name = "Passthrough";
}

/// <summary>One real gateway in front of a <see cref="FakeUpstream"/>, with small limits and short clocks.</summary>
public sealed class PassthroughSetup(TestPostgres postgres) : IAsyncLifetime
{
    public const string Scripted = "model/name=scripted";
    public const string Demo = "model/name=demo";
    public const int MaxUploadBytes = 400_000;

    public FakeUpstream Upstream { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public string Key { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Upstream = await FakeUpstream.StartAsync();
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel),
                Yaml = Yaml(Upstream.BaseUrl),
                Settings = new Dictionary<string, string>
                {
                    ["Gateway__MaxUploadBytes"] = $"{MaxUploadBytes}",
                    ["Gateway__MaxRequestBytes"] = "2000000",
                },
            },
            cancel);
        Key = (await Gateway.CreateKeyAsync(cancel: cancel)).Text;
        Client = Gateway.Client(Key);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        if (Upstream is not null)
        {
            await Upstream.DisposeAsync();
        }
    }

    /// <summary>Sends a form whose bytes the test wrote itself.</summary>
    /// <param name="isChunked">Without a Content-Length.</param>
    public async Task<RawReply> PostFormAsync(
        string path, byte[] body, string boundary, CancellationToken cancel, bool isChunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/form-data; boundary={boundary}");
        request.Headers.TransferEncodingChunked = isChunked;
        return await RawReply.ReadAsync(Client, request, cancel);
    }

    /// <summary>What the request's one log line says, waiting for it a little: lines are written in the background.</summary>
    public async Task<string> LogLineAsync(string requestId, CancellationToken cancel)
    {
        for (var tries = 0; tries < 100; tries++)
        {
            if (Gateway.Output.Split('\n').FirstOrDefault(line => line.Contains(requestId, StringComparison.Ordinal)) is { } line)
            {
                return line;
            }

            await Task.Delay(50, cancel);
        }

        throw new TimeoutException($"No log line for {requestId}.\n{Gateway.LastWords}");
    }

    private static string Yaml(string upstream) => new StringBuilder()
        .AppendLine("providers:")
        .AppendLine(
            $"  - {{ name: fake, baseUrl: {upstream}, apiKey: key-of-the-upstream, headers: {{ x-provider: \"yes\" }} }}")
        .AppendLine($"  - {{ name: dead, baseUrl: http://127.0.0.1:{FreePort.Next()}/v1, apiKey: nobody-hears-it }}")
        .AppendLine("models:")
        .AppendLine("  - { name: scripted, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: fake, model: real-name } ] }")
        .AppendLine("  - { name: dropping, retries: 0, breaker: { minimum: 1000000 }, dropParams: [user, timestamp], deployments: [ { provider: fake, model: real-name } ] }")
        .AppendLine("  - { name: dead, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: dead } ] }")
        .AppendLine(
            "  - { name: hasty, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: fake } ], timeouts: { headers: 500ms, idle: 700ms, total: 4s } }")
        .AppendLine("  - { name: foreign, retries: 0, breaker: { minimum: 1000000 }, workspaces: [other], deployments: [ { provider: fake } ] }")
        .AppendLine("workspaces:")
        .AppendLine("  - { name: other }")
        .ToString();
}

/// <summary>A test on the shared stack, whose upstream has forgotten the test before.</summary>
[Collection(PassthroughTestsShareOneGateway.Name)]
public abstract class PassthroughTest : IDisposable
{
    protected PassthroughTest(PassthroughSetup setup)
    {
        Setup = setup;
        setup.Upstream.Reset();
    }

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected PassthroughSetup Setup { get; }

    protected FakeUpstream Upstream => Setup.Upstream;

    protected HttpClient Client => Setup.Client;

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected static string Code(RawReply reply) =>
        System.Text.Json.Nodes.JsonNode.Parse(reply.Body)!["error"]!["code"]?.GetValue<string>() ?? "";
}
