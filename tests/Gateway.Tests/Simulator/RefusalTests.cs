using System.Net;
using System.Text.Json.Nodes;
using Gateway.Simulator;

namespace Gateway.Tests.Simulator;

public sealed class RefusalTests(SimulatorCalls simulator) : IClassFixture<SimulatorCalls>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"\ud800"}]}""", null)]
    [InlineData("""{"messages":[]}""", "model")]
    [InlineData("""{"model":7}""", "model")]
    [InlineData("""{"model":"demo"}""", "messages")]
    [InlineData("""{"model":"demo","messages":[]}""", "messages")]
    [InlineData("""{"model":"demo","messages":[7]}""", "messages[0]")]
    [InlineData("""{"model":"demo","messages":[{"role":"king","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"model":"demo","messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":[{"type":"smell"}]}]}""", "messages[0].content[0].type")]
    [InlineData("""{"model":"demo","messages":[{"role":"tool","content":"x","tool_call_id":"c"}]}""", "messages[0].tool_call_id")]
    [InlineData("""{"model":"demo","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]},{"role":"user","content":"x"}]}""", "messages")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"n":0}""", "n")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"n":1e99}""", "n")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"temperature":1e999}""", "temperature")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":"yes"}""", "stream")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}]}""", "tools[0].function")]
    [InlineData("""{"model":"demo-noprefix","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}""", "messages")]
    public async Task Bad_request_is_a_400_that_names_the_field(string sent, string? param)
    {
        var (status, body) = await simulator.PostAsync("v1/chat/completions", sent);

        Assert.Equal(400, status);
        Assert.Equal("invalid_request_error", (string?)body["error"]!["type"]);
        Assert.Equal(param, (string?)body["error"]!["param"]);
        Assert.True(body["error"]!.AsObject().ContainsKey("code"));
    }

    [Theory]
    [InlineData("GET", "v1/nowhere", 404, "unknown_url")]
    [InlineData("GET", "v1/chat/completions", 405, "method_not_supported")]
    [InlineData("DELETE", "v1/models", 405, "method_not_supported")]
    [InlineData("GET", "v1/models/missing", 404, "model_not_found")]
    public async Task Unknown_place_or_method_answers_in_the_envelope(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Parse(method), path);

        using var response = await simulator.Client.SendAsync(request, Cancel);

        Assert.Equal(status, (int)response.StatusCode);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancel))!;
        Assert.Equal(code, (string?)body["error"]!["code"]);
    }

    [Fact]
    public async Task Asked_for_status_comes_with_retry_after()
    {
        using var body = SimulatorCalls.Json(SimulatorCalls.Body("hello !status=429 !retry-after=2", "\"stream\":true", "demo"));

        using var response = await simulator.Client.PostAsync("v1/chat/completions", body, Cancel);

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter!.Delta);
        Assert.Contains("rate_limit_exceeded", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trouble_comes_as_often_as_asked_and_no_more()
    {
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            var body = SimulatorCalls.Body($"hello {i}", "", "demo!status=503!after=1!times=2!id=often");
            statuses.Add((await simulator.PostAsync("v1/chat/completions", body)).Status);
        }

        Assert.Equal([200, 503, 503, 200, 200], statuses);
    }

    [Fact]
    public async Task Unsupported_parameter_is_refused_while_it_is_there()
    {
        var with = await simulator.PostAsync(
            "v1/chat/completions", SimulatorCalls.Body("hello", "\"temperature\":1", "demo!unsupported=seed,temperature"));
        var without = await simulator.PostAsync("v1/chat/completions", SimulatorCalls.Body("hello", "", "demo!unsupported=seed,temperature"));

        Assert.Equal(400, with.Status);
        Assert.Equal("unsupported_parameter", (string?)with.Body["error"]!["code"]);
        Assert.Equal("temperature", (string?)with.Body["error"]!["param"]);
        Assert.Equal(200, without.Status);
    }

    [Fact]
    public async Task Plain_answer_cut_in_its_middle_is_an_error()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => simulator.ChatAsync("words:60 !cut=7"));
    }

    [Fact]
    public async Task Words_that_only_look_like_directives_stay_in_the_message()
    {
        var text = await simulator.TextAsync("say:stop !now and !cut-it a!cut=1");

        Assert.Equal("stop !now and !cut-it a!cut=1", text);
    }

    [Theory]
    [InlineData("http://*:0")]
    [InlineData("http://127.0.0.1:0")]
    public async Task Address_can_be_reached_whatever_was_bound(string urls)
    {
        await using var server = await SimulatorServer.StartAsync(new SimulatorOptions { Urls = urls }, Cancel);
        using var client = new HttpClient { BaseAddress = server.Address };

        using var response = await client.GetAsync("v1/models", Cancel);

        Assert.Equal("127.0.0.1", server.Address.Host);
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_a_stalled_stream()
    {
        var server = await SimulatorServer.StartAsync(new SimulatorOptions(), Cancel);
        using var client = new HttpClient { BaseAddress = server.Address };
        using var body = SimulatorCalls.Json(SimulatorCalls.Body("words:3 !stall=1", "\"stream\":true", "demo"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = body };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);

        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(1.5), Cancel);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync(Cancel));
    }
}
