using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Simulator;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.ChatKit;

/// <summary>Threads over two gateways on one database, and a gateway that is killed.</summary>
public sealed class TwoGatewayTests(TestPostgres postgres, ChatKitContract contract) : IAsyncLifetime
{
    private const int Threads = 50;
    private const int MessagesEach = 4;

    private readonly List<GatewayProcess> _gateways = [];
    private SimulatorServer _simulator = null!;
    private string _database = "";
    private GatewayKey _key = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        _database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        var launch = new GatewayLaunch
        {
            ConnectionString = _database,
            // Signed links and sealed secrets are good on both.
            Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Convert.ToBase64String(new byte[32]) },
            Yaml = $$"""
                providers: [ { name: sim, baseUrl: "{{_simulator.Address}}v1" } ]
                models: [ { name: sim, deployments: [ { provider: sim } ] } ]
                workspaces: [ { name: acme, bots: [ { id: support, model: sim, backstory: You help. } ] } ]
                """,
        };
        _gateways.Add(await GatewayProcess.StartAsync(launch, Cancel));
        _gateways.Add(await GatewayProcess.StartAsync(launch, Cancel));
        _key = await _gateways[0].CreateKeyAsync("acme", cancel: Cancel);
        foreach (var gateway in _gateways)
        {
            await ChatKitSetup.WarmAsync(gateway, _key.Text, "support");
        }
    }

    /// <summary>200 streams, four on each of 50 threads, alternately at the one gateway and the other.</summary>
    [Fact]
    public async Task Many_streams_lose_nothing_and_keep_apart()
    {
        const string Session = """{"chatkit_configuration":{"automatic_thread_titling":{"enabled":false}}}""";
        using var one = await ChatPage.OpenAsync(_gateways[0], _key.Text, contract, session: Session);
        using var two = await ChatPage.OpenAsync(_gateways[1], _key.Text, contract, session: Session);
        ChatPage[] pages = [one, two];

        var threads = await Task.WhenAll(Enumerable.Range(0, Threads).Select(async number =>
        {
            var (thread, events) = await pages[number % 2].CreateAsync(Words(number, 0));
            AssertWhole(Answer(number, 0), events);
            return thread;
        }));
        // All that are left of a thread at once: who finds it taken comes again, so nobody knows in which order they get through.
        await Task.WhenAll(Enumerable.Range(0, Threads * (MessagesEach - 1)).Select(async i =>
        {
            var (number, message) = (i % Threads, (i / Threads) + 1);
            var parameters = new JsonObject { ["thread_id"] = threads[number], ["input"] = ChatPage.Message(Words(number, message)) };
            RawReply reply;
            do
            {
                reply = await pages[(number + message) % 2].PostAsync("threads.add_user_message", parameters);
            }
            while (reply.Status == 409);

            Assert.True(reply.Status == 200, reply.Text);
            AssertWhole(Answer(number, message), await one.EventsAsync(reply.Text));
        }));

        for (var number = 0; number < Threads; number++)
        {
            var items = await two.ItemsAsync(threads[number]);
            Assert.Equal(MessagesEach * 2, items.Count);
            var messages = items.Chunk(2).Select(pair => (Asked: (string)pair[0]["content"]![0]!["text"]!, Said: (string)pair[1]["content"]![0]!["text"]!)).ToList();
            // Each question with its own answer behind it, and each once.
            Assert.All(messages, pair => Assert.Contains($"say:{pair.Said}", pair.Asked, StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(0, MessagesEach).Select(message => Answer(number, message)).Order(), messages.Select(pair => pair.Said).Order());
        }
    }

    [Fact]
    public async Task A_killed_gateway_leaves_a_thread_that_loads_and_goes_on()
    {
        using var page = await ChatPage.OpenAsync(_gateways[0], _key.Text, contract);
        using var other = await ChatPage.OpenAsync(_gateways[1], _key.Text, contract);
        var (thread, _) = await page.CreateAsync("say:Before.");
        var cut = page.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("!pace=200ms words:300") });
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(_database).Options);
        while (!await db.ChatKitThreads.AnyAsync(t => t.Id == thread && t.LeaseId != null, Cancel))
        {
            await Task.Delay(20, Cancel);
        }

        await _gateways[0].KillAsync();
        await Record.ExceptionAsync(() => cut);

        Assert.InRange((await other.ItemsAsync(thread)).Count, 2, 3);
        // Its lease ends within seconds.
        RawReply reply;
        do
        {
            reply = await other.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = thread, ["input"] = ChatPage.Message("say:After.") });
        }
        while (reply.Status == 409);
        Assert.Equal("After.", ChatPage.TextOf(await other.EventsAsync(reply.Text)));

        await _gateways[0].StartAgainAsync(Cancel);
        await ChatKitSetup.WarmAsync(_gateways[0], _key.Text, "support");
        using var again = await ChatPage.OpenAsync(_gateways[0], _key.Text, contract);
        Assert.Equal("Again.", ChatPage.TextOf(await again.SayAsync(thread, "say:Again.")));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await _simulator.DisposeAsync();
    }

    /// <summary>What was shown word by word is the answer too, and nobody else's word is in between.</summary>
    private static void AssertWhole(string answer, IReadOnlyList<JsonNode> events)
    {
        var deltas = events.Where(e => ChatPage.Type(e) == "thread.item.updated").Select(e => (string?)e["update"]!["delta"]).OfType<string>().ToList();
        Assert.Equal((answer, answer), (ChatPage.TextOf(events), string.Concat(deltas)));
        Assert.True(deltas.Count > 1, "The answer came at once.");
    }

    private static string Words(int thread, int message) => $"!pace=1ms say:{Answer(thread, message)}";

    private static string Answer(int thread, int message) => $"This is answer {message} of thread {thread} and it has a few words.";
}
