using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Simulator;

namespace Gateway.Tests.Simulator;

/// <summary>A simulator on a free port, and a client for it.</summary>
public sealed class SimulatorCalls : IAsyncLifetime
{
    private SimulatorServer? _server;

    public HttpClient Client { get; private set; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SimulatorServer.StartAsync(new SimulatorOptions(), CancellationToken.None);
        Client.BaseAddress = _server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Status and JSON of any POST.</summary>
    public async Task<(int Status, JsonNode Body)> PostAsync(string path, string body)
    {
        using var response = await Client.PostAsync(path, Json(body), Cancel);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancel))!);
    }

    /// <summary>
    /// A chat with one user message; <paramref name="more"/> are further members, such as <c>"n":2</c>.
    /// </summary>
    public async Task<JsonNode> ChatAsync(string user, string more = "", string model = "demo")
    {
        var (status, body) = await PostAsync("v1/chat/completions", Body(user, more, model));
        Assert.Equal(200, status);
        return body;
    }

    /// <summary>The text of the first choice.</summary>
    public async Task<string> TextAsync(string user, string more = "", string model = "demo") =>
        (string)(await ChatAsync(user, more, model))["choices"]![0]!["message"]!["content"]!;

    /// <summary>Reads a stream to its end or break.</summary>
    public async Task<Transcript> StreamAsync(string user, string more = "", string model = "demo", string path = "v1/chat/completions")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = Json(Body(user, more + (more.Length > 0 ? "," : "") + "\"stream\":true", model));
        var text = new StringBuilder();
        var isBroken = false;
        try
        {
            using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
            Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancel));
            var buffer = new char[4096];
            for (int read; (read = await reader.ReadAsync(buffer, Cancel)) > 0;)
            {
                text.Append(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            isBroken = true;
        }

        return new Transcript(text.ToString(), isBroken);
    }

    public static StringContent Json(string body) => new(body, MediaTypeHeaderValue.Parse("application/json"));

    /// <param name="user">Its text; a text that begins with <c>[</c> is taken as the whole <c>messages</c>.</param>
    public static string Body(string user, string more, string model)
    {
        var messages = user.StartsWith('[') ? user : $$"""[{"role":"user","content":{{JsonSerializer.Serialize(user)}}}]""";
        return $$"""{"model":"{{model}}","messages":{{messages}}{{(more.Length > 0 ? "," : "")}}{{more}}}""";
    }
}

/// <summary>What came of a stream.</summary>
/// <param name="IsBroken">The connection broke before the body's end.</param>
public sealed record Transcript(string Raw, bool IsBroken)
{
    public bool IsDone => Raw.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal);

    /// <summary>The chunks that are JSON, in order.</summary>
    public List<JsonNode> Chunks => [.. Raw.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line.StartsWith("data: {", StringComparison.Ordinal) && line.EndsWith('}'))
        .Select(line => JsonNode.Parse(line["data: ".Length..])!)];

    public List<string> Texts => [.. Choices.Select(c => (string?)c["delta"]?["content"] ?? "").Where(t => t.Length > 0)];

    public List<string> Finishes => [.. Choices.Select(c => (string?)c["finish_reason"] ?? "").Where(t => t.Length > 0)];

    private IEnumerable<JsonNode> Choices => Chunks.SelectMany(c => c["choices"]!.AsArray()).Select(c => c!);
}
