using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Simulator;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bots;

/// <summary>
/// The support bot of <c>deploy/gateway.yaml</c>, the file as it is, with the simulator as its provider and loopback servers as
/// the shop and the search engine: each of its tools is used, and the caller sees the answer alone.
/// </summary>
public sealed class ShownBotTests(TestPostgres postgres) : IAsyncLifetime
{
    private const string Token = "shop-token-of-the-test";

    private SimulatorServer _simulator = null!;
    private OutsideServer _outside = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        _outside = await OutsideServer.StartAsync(AnswerAsync);
        _gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = new Dictionary<string, string>
                {
                    ["Gateway__Apply"] = Path.Combine(Repository.Root, "deploy/gateway.yaml"),
                    ["OPENAI_BASE_URL"] = $"{_simulator.Address}v1",
                    ["OPENAI_API_KEY"] = "any",
                    ["SHOP_URL"] = _outside.Url,
                    ["SHOP_TOKEN"] = Token,
                    ["SEARXNG_URL"] = _outside.Url,
                    ["SEARXNG_HOST"] = "127.0.0.1",
                },
            },
            Cancel);
        _client = _gateway.Client((await _gateway.CreateKeyAsync("acme", cancel: Cancel)).Text);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        await _outside.DisposeAsync();
        await _simulator.DisposeAsync();
    }

    [Fact]
    public async Task It_uses_its_handbook_the_shop_the_web_and_its_colleague_and_shows_the_answer_alone()
    {
        await UntilIndexedAsync();

        var returns = await AskAsync(
            "Within how many days of delivery, unused and in original packaging?", "search_handbook", "{\"query\":\"How long can I return something?\"}");
        Assert.Contains("30 days of delivery", returns, StringComparison.Ordinal);

        var order = await AskAsync("Where is the parcel of my order?", "find_order", "{\"number\":\"A-10482\"}");
        Assert.Contains("parcel 77 left Hamburg", order, StringComparison.Ordinal);
        var asked = Assert.Single(_outside.Requests, r => r.Target.StartsWith("/api/orders/", StringComparison.Ordinal));
        Assert.Equal(("/api/orders/A-10482", $"Bearer {Token}"), (asked.Target, asked.Headers["authorization"]));

        var web = await AskAsync("Which carriers deliver parcels on Sundays?", "web_search", "{\"query\":\"carriers Sundays\"}");
        Assert.Contains("deliver parcels on Sundays in three cities", web, StringComparison.Ordinal);

        var colleague = await AskAsync(
            "How are payments possible?", "ask_billing", "{\"message\":\"How are payments possible?\"}");
        Assert.Contains("by bank transfer within 14 days", colleague, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_the_answer_names_is_a_citation_with_its_place_in_the_text()
    {
        // The simulator says what it finds, and does not number its sources; what it finds here does.
        var reply = await ReplyAsync("Which carriers deliver parcels on Sundays?\ncall:web_search {\"query\":\"carriers Sundays\"}");

        var message = reply["choices"]![0]!["message"]!;
        var text = (string)message["content"]!;
        var citation = Assert.Single(message["annotations"]!.AsArray())!["url_citation"]!;
        Assert.Equal("https://carriers.example/sundays", (string?)citation["url"]);
        Assert.Equal("[1]", text[(int)citation["start_index"]!..(int)citation["end_index"]!]);
    }

    private async Task<string> AskAsync(string question, string tool, string arguments)
    {
        var reply = await ReplyAsync($"{question}\ncall:{tool} {arguments}");
        var choice = reply["choices"]![0]!;
        Assert.Equal("stop", (string?)choice["finish_reason"]);
        Assert.Null(choice["message"]!["tool_calls"]);
        return (string)choice["message"]!["content"]!;
    }

    private async Task<JsonNode> ReplyAsync(string content)
    {
        var body = JsonSerializer.Serialize(new { model = "bot/id=support", messages = new[] { new { role = "user", content } } });
        var reply = await RawReply.PostAsync(_client, "/v1/chat/completions", body, Cancel);
        for (var tries = 0; tries < 100 && reply.IsBeforeItsBot; tries++)
        {
            await Task.Delay(50, Cancel);
            reply = await RawReply.PostAsync(_client, "/v1/chat/completions", body, Cancel);
        }

        Assert.True(reply.Status == 200, reply.Text);
        return JsonNode.Parse(reply.Body)!;
    }

    private async Task UntilIndexedAsync()
    {
        var seen = "";
        for (var tries = 0; tries < 300; tries++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/admin/v1/datasets/handbook/jobs?workspace=acme");
            request.Headers.Authorization = new("Bearer", GatewayProcess.AdminKey);
            using var response = await _client.SendAsync(request, Cancel);
            seen = await response.Content.ReadAsStringAsync(Cancel);
            var jobs = JsonNode.Parse(seen)!["data"]!.AsArray();
            Assert.DoesNotContain(jobs, j => (string?)j!["status"] == "failed");
            if (jobs.Count >= 3 && jobs.All(j => (string?)j!["status"] == "done"))
            {
                return;
            }

            await Task.Delay(100, Cancel);
        }

        Assert.Fail($"The handbook was not read: {seen}");
    }

    private static Task AnswerAsync(HttpContext http) => http.Request.Path.StartsWithSegments("/api/orders", StringComparison.Ordinal)
        ? http.Response.WriteAsync(
            """{"order":{"number":"A-10482","state":"The parcel 77 left Hamburg on Friday.","goods":["kettle"]},"internal":"not for the model"}""", Cancel)
        : http.Response.WriteAsync(
            """
            {"query":"q","results":[{"url":"https://carriers.example/sundays","title":"Sunday delivery",
              "content":"Two carriers deliver parcels on Sundays in three cities [1]."}]}
            """, Cancel);
}
