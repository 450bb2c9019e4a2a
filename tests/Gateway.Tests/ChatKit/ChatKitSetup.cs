using System.Text;
using Gateway.Data;
using Gateway.Simulator;
using Gateway.Tests.Bots;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

[CollectionDefinition(Name)]
public sealed class ChatKitTestsShareOneGateway : ICollectionFixture<ChatKitSetup>
{
    public const string Name = "ChatKit door";
}

/// <summary>
/// One gateway whose bots the simulator answers for; two workspaces have one of the same name.
/// </summary>
public sealed class ChatKitSetup(TestPostgres postgres) : IAsyncLifetime
{
    public const string Bot = "bot/id=support";

    private SimulatorServer _simulator = null!;
    private FakeUpstream _remembering = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    public string Database { get; private set; } = "";

    public GatewayKey Key { get; private set; } = null!;

    /// <summary>Of the other workspace.</summary>
    public GatewayKey OtherKey { get; private set; } = null!;

    /// <summary>All that the model of the bot <c>reader</c> was given last.</summary>
    public string LastPrompt => Encoding.UTF8.GetString(_remembering.LastBody);

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        _simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), cancel);
        _remembering = (await FakeUpstream.StartAsync()).Answers(Says.Text("Seen."));
        Database = await postgres.CreateDatabaseAsync(cancel: cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = Database,
                Yaml = $$"""
                    providers:
                      - { name: sim, baseUrl: "{{_simulator.Address}}v1" }
                      - { name: remembering, baseUrl: "{{_remembering.BaseUrl}}" }
                    models:
                      - { name: sim, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: sim } ] }
                      - { name: remembering, deployments: [ { provider: remembering } ] }
                    workspaces:
                      - name: acme
                        datasets: [ { name: handbook, description: How ACME works. } ]
                        bots:
                          - { id: support, model: sim, backstory: You help the people of ACME. }
                          - { id: sales, model: sim, backstory: You sell. }
                          - { id: reader, model: remembering, backstory: You read. }
                          - id: open
                            model: sim
                            backstory: You show what you do.
                            datasets: [ { name: handbook } ]
                            exposeSteps: true
                          - id: closed
                            model: sim
                            backstory: You do not show what you do.
                            datasets: [ { name: handbook } ]
                          - id: page
                            model: sim
                            backstory: You use the page.
                            clientTools:
                              - { type: function, function: { name: pick_color, description: Asks for a color., parameters: { type: object, properties: { of: { type: string } } } } }
                      - name: globex
                        bots: [ { id: support, model: sim, backstory: You help the people of Globex. } ]
                    """,
            },
            cancel);
        Key = await Gateway.CreateKeyAsync("acme", cancel: cancel);
        OtherKey = await Gateway.CreateKeyAsync("globex", cancel: cancel);
        foreach (var bot in new[] { "support", "sales", "reader", "open", "closed", "page" })
        {
            await WarmAsync(Gateway, Key.Text, bot);
        }

        await WarmAsync(Gateway, OtherKey.Text, "support");
        using var admin = Gateway.Client(GatewayProcess.AdminKey);
        var record = await RawReply.PostAsync(
            admin, "/admin/v1/datasets/handbook/records?workspace=acme",
            """{"text":"The wall of the tower is painted mauve [1].","source":"Paint","url":"https://acme.test/paint"}""", cancel);
        Assert.True(record.Status is 200 or 201, record.Text);
    }

    /// <summary>Tokens of the prompt, as the usage row of a request says once it is there.</summary>
    public async Task<int> PromptAsync(RawReply reply)
    {
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(Database).Options);
        while (true)
        {
            if (await db.Usage.AsNoTracking().SingleOrDefaultAsync(u => u.RequestId == reply.Headers["x-request-id"], TestContext.Current.CancellationToken) is { } row)
            {
                return (int)row.InputTokens;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        if (_simulator is not null)
        {
            await _simulator.DisposeAsync();
        }

        if (_remembering is not null)
        {
            await _remembering.DisposeAsync();
        }
    }

    /// <summary>A bot's first use waits for the database, on a busy machine for too long; what is refused has read it all the same.</summary>
    public static async Task WarmAsync(GatewayProcess gateway, string key, string bot)
    {
        using var client = gateway.Client(key);
        for (var status = 0; status != 400;)
        {
            status = (await RawReply.PostAsync(
                client, "/v1/chat/completions", $$"""{"model":"bot/id={{bot}}","n":2,"messages":[{"role":"user","content":"x"}]}""",
                TestContext.Current.CancellationToken)).Status;
            Assert.Contains(status, (int[])[400, 401, 404, 503]);
        }
    }
}
