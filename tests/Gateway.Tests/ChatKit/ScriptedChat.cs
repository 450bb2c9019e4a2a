using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

[CollectionDefinition(Name)]
public sealed class ScriptedChatTestsShareOneGateway : ICollectionFixture<ScriptedChatFixture>
{
    public const string Name = "ChatKit door on a scripted upstream";
}

/// <summary>One scripted chat for all tests of a collection.</summary>
public sealed class ScriptedChatFixture(TestPostgres postgres) : IAsyncLifetime
{
    public ScriptedChat Chat { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Chat = await ScriptedChat.StartAsync(postgres);

    public ValueTask DisposeAsync() => Chat is null ? default : Chat.DisposeAsync();
}

/// <summary>A gateway whose bots' model a test scripts: what it is asked can be seen, and when it answers is the test's to say.</summary>
public sealed class ScriptedChat : IAsyncDisposable
{
    /// <summary>No titles: each turn is one request to the model.</summary>
    public const string Session = """{"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""";

    private readonly List<GatewayProcess> _more = [];
    private readonly GatewayLaunch _launch;

    private ScriptedChat(FakeUpstream upstream, string database, GatewayLaunch launch) => (Upstream, Database, _launch) = (upstream, database, launch);

    public FakeUpstream Upstream { get; }

    public string Database { get; }

    public GatewayProcess Gateway { get; private set; } = null!;

    public GatewayKey Key { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ScriptedChat> StartAsync(TestPostgres postgres, string drain = "00:00:10")
    {
        var upstream = await FakeUpstream.StartAsync();
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        var launch = new GatewayLaunch
        {
            ConnectionString = database,
            Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Seed.EncryptionKey, ["Gateway__DrainTimeout"] = drain },
            Yaml = $$"""
                providers: [ { name: fake, baseUrl: "{{upstream.BaseUrl}}" } ]
                models:
                  - { name: fake, retries: 0, rescue: "off", breaker: { minimum: 1000000 }, deployments: [ { provider: fake } ] }
                  - { name: other, retries: 0, rescue: "off", breaker: { minimum: 1000000 }, deployments: [ { provider: fake, model: other-upstream } ] }
                workspaces:
                  - name: acme
                    datasets: [ { name: handbook, description: How ACME works. } ]
                    bots:
                      - { id: support, model: fake, backstory: You help. }
                      - id: page
                        model: fake
                        backstory: You use the page.
                        clientTools:
                          - { type: function, function: { name: pick_color, description: Asks for a color., parameters: { type: object, properties: { of: { type: string } } } } }
                      - id: both
                        model: fake
                        backstory: You use the page and the handbook.
                        datasets: [ { name: handbook } ]
                        clientTools:
                          - { type: function, function: { name: pick_color, description: Asks for a color., parameters: { type: object, properties: { of: { type: string } } } } }
                """,
        };
        var chat = new ScriptedChat(upstream, database, launch);
        try
        {
            chat.Gateway = await GatewayProcess.StartAsync(launch, Cancel);
            chat.Key = await chat.Gateway.CreateKeyAsync("acme", cancel: Cancel);
            await chat.WarmAsync(chat.Gateway);
            return chat;
        }
        catch
        {
            await chat.DisposeAsync();
            throw;
        }
    }

    /// <summary>A stream that says these words.</summary>
    public static UpstreamAnswer Says(params string[] words) => Replies.Stream(Replies.WordEvents("fake", words));

    /// <summary>A stream that says these words and then nothing more, for ever.</summary>
    public static UpstreamAnswer Begins(params string[] words) =>
        Answer.Stream([.. Replies.WordEvents("fake", words).Take(words.Length + 1).Select(Piece.Of), Piece.Stall]);

    /// <summary>Another gateway on the same database.</summary>
    public async Task<GatewayProcess> StartAnotherAsync()
    {
        var another = await GatewayProcess.StartAsync(_launch, Cancel);
        _more.Add(another);
        await WarmAsync(another);
        return another;
    }

    /// <summary>A bot's first use at a gateway waits for the database, on a busy machine for too long.</summary>
    public async Task WarmAsync(GatewayProcess gateway)
    {
        foreach (var bot in new[] { "support", "page", "both" })
        {
            await ChatKitSetup.WarmAsync(gateway, Key.Text, bot);
        }
    }

    internal GatewayDb Db() => new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(Database).Options);

    /// <summary>A thread's items as they are stored, hidden ones too, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> StoredAsync(string thread)
    {
        await using var db = Db();
        var rows = await db.ChatKitItems.AsNoTracking().Where(i => i.ThreadId == thread).OrderBy(i => i.Sequence).ToListAsync(Cancel);
        return [.. rows.Select(row => JsonNode.Parse(row.Document)!)];
    }

    /// <summary>The one usage row of a request, once it is there.</summary>
    internal async Task<UsageRow> UsageAsync(string requestId)
    {
        await using var db = Db();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (await db.Usage.AsNoTracking().SingleOrDefaultAsync(u => u.RequestId == requestId, Cancel) is { } row)
            {
                return row;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"There is no usage row of {requestId}.");
            await Task.Delay(50, Cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _more.Prepend(Gateway).Where(gateway => gateway is not null))
        {
            await gateway.DisposeAsync();
        }

        await Upstream.DisposeAsync();
    }
}
