namespace Gateway.Tests.Support;

/// <summary>
/// A real gateway in front of a scripted upstream, shared by a collection's tests, which run one after the other.
/// <c>model/name=plain</c> is the upstream's <c>plain</c>, <c>model/name=named</c> its <c>other-name</c>; models named
/// after a clock have that one short.
/// </summary>
public sealed class ScriptedGateway(TestPostgres postgres, SchemaValidator schemas) : IAsyncLifetime
{
    public const string ProviderKey = "key-of-the-upstream";

    /// <summary>How long the one short clock of <c>model/name=idle</c> and its like runs.</summary>
    public static readonly TimeSpan ShortClock = TimeSpan.FromMilliseconds(700);

    public SchemaValidator Schemas { get; } = schemas;

    public FakeUpstream Upstream { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    /// <summary>Sends the key of workspace <c>default</c>.</summary>
    public HttpClient Client { get; private set; } = null!;

    public string Key { get; private set; } = null!;

    public string ConnectionString { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Upstream = await FakeUpstream.StartAsync();
        ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel);
        await SeedAsync(cancel);
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = ConnectionString,
                Settings = new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Seed.EncryptionKey },
            },
            cancel);
        Key = (await Gateway.CreateKeyAsync(cancel: cancel)).Text;
        Client = Gateway.Client(Key);
        // A bot's first use waits a quarter of a second for the database, whose first queries may take longer on a busy machine.
        while ((await ChatAsync("""{"model":"bot/id=strict","n":2,"messages":[{"role":"user","content":"hi"}]}""", cancel)).Status != 400)
        {
        }
    }

    /// <summary>Posts to chat completions and reads everything.</summary>
    public Task<RawReply> ChatAsync(string json, CancellationToken cancel) =>
        RawReply.PostAsync(Client, "/v1/chat/completions", json, cancel);

    /// <summary>Posts bytes as they are.</summary>
    public async Task<RawReply> ChatAsync(byte[] body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        return await RawReply.ReadAsync(Client, request, cancel);
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

    private async Task SeedAsync(CancellationToken cancel)
    {
        var brief = (int)ShortClock.TotalMilliseconds;
        await using var seed = await Seed.OpenAsync(ConnectionString, cancel);
        var fake = seed.AddProvider("fake", Upstream.BaseUrl, ProviderKey, new() { ["x-of-the-operator"] = "yes" });
        seed.AddModel("plain", fake);
        seed.AddModel("named", fake, "other-name");
        seed.AddModel("vendor/with/slashes", fake);
        seed.AddModel("dropping", fake, change: model => model.DropParams = ["logit_bias", "user"]);
        seed.AddModel("of-other", fake, change: model => model.Workspaces = ["other"]);
        seed.AddModel("headers", fake, change: model => model.HeadersMs = brief);
        seed.AddModel("first", fake, change: model => model.FirstContentMs = brief);
        seed.AddModel("idle", fake, change: model => model.IdleMs = brief);
        seed.AddModel("total", fake, change: model => model.TotalMs = brief);
        seed.AddModel("nowhere", seed.AddProvider("nowhere", $"http://127.0.0.1:{FreePort.Next()}/v1"));

        var home = seed.AddWorkspace("default");
        var other = seed.AddWorkspace("other");
        seed.AddBot(home, "helper", "plain", "You are {bot.name} of {workspace} on {date}; {not.this} stays.");
        seed.AddBot(home, "mute", "plain", "");
        seed.AddBot(
            home, "strict", "plain", "Be strict.", """{"temperature":0.25,"max_tokens":80,"seed":7,"user":"of the bot"}""",
            "temperature", "user");
        seed.AddBot(home, "sealed-length", "plain", "Be short.", """{"max_tokens":80}""", "max_tokens");
        seed.AddBot(home, "stalling", "idle", "Stall.");
        seed.AddBot(home, "lost", "nowhere", "Be lost.");
        seed.AddBot(home, "modelless", "no-such-model", "Be nothing.");
        seed.AddBot(other, "theirs", "plain", "Be theirs.");
        await seed.SaveAsync(cancel);
    }
}

/// <summary>What tests on a <see cref="ScriptedGateway"/> share: a clean script before each of them.</summary>
public abstract class ScriptedTest(ScriptedGateway setup) : IAsyncLifetime
{
    protected ScriptedGateway Setup { get; } = setup;

    protected FakeUpstream Upstream => Setup.Upstream;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int _logged;

    public ValueTask InitializeAsync()
    {
        Upstream.Reset();
        _logged = Setup.Gateway.Output.Length;
        return ValueTask.CompletedTask;
    }

    /// <summary>Whatever a test did, the gateway lives and nothing in it went wrong that it did not foresee.</summary>
    public ValueTask DisposeAsync()
    {
        Assert.False(Setup.Gateway.HasExited, "The gateway has ended.");
        var errors = Setup.Gateway.Output[_logged..].Split('\n').Where(line => line.Contains(" ERR ", StringComparison.Ordinal));
        Assert.Empty(errors);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
