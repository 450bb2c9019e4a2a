using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Tests.ChatKit;

/// <summary>A stream that a page reads while it runs.</summary>
public sealed class OpenChat : IDisposable
{
    private readonly HttpResponseMessage _reply;
    private readonly StreamReader _body;
    private readonly List<JsonNode> _events = [];

    private OpenChat(HttpResponseMessage reply, Stream body) => (_reply, _body) = (reply, new StreamReader(body, Encoding.UTF8));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What has been read so far.</summary>
    public IReadOnlyList<JsonNode> Events => _events;

    public string RequestId => _reply.Headers.GetValues("x-request-id").Single();

    /// <summary>Of <c>threads.create</c>, once an event was read.</summary>
    public string Thread => (string)_events[0]["thread"]!["id"]!;

    public static async Task<OpenChat> OpenAsync(ChatPage page, string type, JsonObject parameters)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chatkit")
        {
            Content = new StringContent(new JsonObject { ["type"] = type, ["params"] = parameters }.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        var reply = await page.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(200, (int)reply.StatusCode);
        return new OpenChat(reply, await reply.Content.ReadAsStreamAsync(Cancel));
    }

    /// <summary>Reads until some text of the answer has come.</summary>
    public async Task<string> UntilTextAsync()
    {
        while (await NextAsync() is { } happened)
        {
            if ((string?)happened["update"]?["delta"] is { } text)
            {
                return text;
            }
        }

        throw new InvalidOperationException($"The stream ended without text: {string.Join('\n', _events.Select(e => e.ToJsonString()))}");
    }

    /// <summary>Reads to the end.</summary>
    /// <exception cref="IOException">It broke off.</exception>
    public async Task<IReadOnlyList<JsonNode>> ToEndAsync()
    {
        while (await NextAsync() is not null)
        {
        }

        return _events;
    }

    public void Dispose()
    {
        _body.Dispose();
        _reply.Dispose();
    }

    /// <summary>Null: the stream has ended as it should.</summary>
    private async Task<JsonNode?> NextAsync()
    {
        while (await _body.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Length > 0)
            {
                _events.Add(JsonNode.Parse(line["data: ".Length..])!);
                return _events[^1];
            }
        }

        return null;
    }
}
