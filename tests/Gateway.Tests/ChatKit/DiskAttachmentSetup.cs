using System.Text;
using Gateway.Tests.Bots;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>A gateway that keeps attachments on the disk, before an upstream that remembers what it was asked.</summary>
public sealed class DiskAttachmentSetup(TestPostgres postgres) : IAsyncLifetime
{
    /// <summary>Where the operator says that browsers reach the gateway.</summary>
    public const string PublicUrl = "https://chat.example.com/gateway";

    private FakeUpstream _upstream = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    public string Database { get; private set; } = "";

    public GatewayKey Key { get; private set; } = null!;

    /// <summary>All that the model was given last.</summary>
    public string LastPrompt => Encoding.UTF8.GetString(_upstream.LastBody);

    /// <summary>What the proxy at the public address makes of a link.</summary>
    public Uri AtTheGateway(string link)
    {
        Assert.StartsWith(PublicUrl + "/v1/chatkit/attachments/", link, StringComparison.Ordinal);
        return new Uri(Gateway.BaseUrl + link[PublicUrl.Length..]);
    }

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        _upstream = (await FakeUpstream.StartAsync()).Answers(Says.Text("Seen."));
        Database = await postgres.CreateDatabaseAsync(cancel: cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = Database,
                Settings = new Dictionary<string, string> { ["Gateway__Attachments"] = "disk", ["Gateway__PublicUrl"] = PublicUrl + "/" },
                Yaml = $$"""
                    providers: [ { name: fake, baseUrl: "{{_upstream.BaseUrl}}" } ]
                    models: [ { name: fake, deployments: [ { provider: fake } ] } ]
                    workspaces: [ { name: acme, bots: [ { id: support, model: fake, backstory: You help. } ] } ]
                    """,
            },
            cancel);
        Key = await Gateway.CreateKeyAsync("acme", cancel: cancel);
        await ChatKitSetup.WarmAsync(Gateway, Key.Text, "support");
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
}
