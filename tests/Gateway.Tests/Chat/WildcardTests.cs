using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>A gateway whose provider has a list of models, behind one configured model and <c>*</c>.</summary>
public sealed class WildcardSetup(TestPostgres postgres) : IAsyncLifetime
{
    public FakeUpstream Upstream { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Upstream = await FakeUpstream.StartAsync();
        Upstream.Lists("gpt-x", "vendor/model", "named", "demo");
        Gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel), Yaml = Yaml(Upstream.BaseUrl) }, cancel);
        Client = Gateway.Client((await Gateway.CreateKeyAsync("acme", cancel: cancel)).Text);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Gateway.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    private static string Yaml(string baseUrl) =>
        $$"""
        providers:
          - { name: fake, baseUrl: "{{baseUrl}}" }
        models:
          - { name: named, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: fake } ] }
          - { name: "*", retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: fake } ] }
        workspaces:
          - name: acme
            bots:
              - { id: helper, model: named }
        """;
}

/// <summary>The model <c>*</c>: any name that no other model has, passed through.</summary>
public sealed class WildcardTests(WildcardSetup setup) : IClassFixture<WildcardSetup>
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_name_travels_on_as_it_was_asked_for()
    {
        setup.Upstream.Reset();
        setup.Upstream.Answers(Answer.Json(Replies.Completion("gpt-x", "Yes.")));

        var reply = await AskAsync("model/name=vendor/model-7b:free");

        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        Assert.Equal("vendor/model-7b:free", (string?)JsonNode.Parse(setup.Upstream.LastBody)!["model"]);
    }

    [Fact]
    public async Task A_provider_that_does_not_know_the_name_is_passed_on_but_not_for_a_configured_model()
    {
        setup.Upstream.Reset();
        setup.Upstream.Answers(Answer.Refusal(404, "No such model.", "invalid_request_error", "model_not_found"));

        var any = await AskAsync("model/name=nobody-has-it");
        var configured = await AskAsync("model/name=named");

        Assert.Equal(HttpStatusCode.NotFound, any.StatusCode);
        Assert.Contains("No such model.", await any.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadGateway, configured.StatusCode);
    }

    [Fact]
    public async Task The_demo_model_is_no_other_workspaces_by_way_of_it() =>
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("model/name=demo")).StatusCode);

    [Fact]
    public async Task The_list_holds_what_the_provider_says_it_has()
    {
        // Act: the list is fetched in the background.
        string[] listed = [];
        using var limit = new CancellationTokenSource(LongestWait);
        while (!listed.Contains("model/name=gpt-x"))
        {
            listed = await ListAsync();
            await Task.Delay(100, limit.Token);
        }

        // Assert
        Assert.Equal(["bot/id=helper", "model/name=gpt-x", "model/name=named", "model/name=vendor/model"], listed);
    }

    private async Task<string[]> ListAsync()
    {
        var list = await setup.Client.GetFromJsonAsync<JsonNode>("/v1/models", Cancel);
        return [.. list!["data"]!.AsArray().Select(m => (string)m!["id"]!)];
    }

    private Task<HttpResponseMessage> AskAsync(string model) =>
        setup.Client.PostAsJsonAsync(
            "/v1/chat/completions", new { model, messages = new[] { new { role = "user", content = "Hello" } } }, Cancel);
}
