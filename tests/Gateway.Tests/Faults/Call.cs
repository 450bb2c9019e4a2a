using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>Who is asked, and in which form.</summary>
public enum Door
{
    ModelStream,
    ModelPlain,
    BotStream,
    BotPlain,
}

/// <summary>
/// One model at one door. Places are written <c>a</c>, <c>b</c> for its deployments, <c>c-f1</c>, <c>d-f2</c> for those of its
/// fallbacks, <c>nowhere</c> where nobody listens, <c>own</c> for its own provider at a's address.
/// </summary>
internal sealed record Call(FaultSetup Setup, Door Door, string Model)
{
    public bool IsBot => Door is Door.BotStream or Door.BotPlain;

    public bool IsStream => Door is Door.ModelStream or Door.BotStream;

    /// <summary>Whether the upstream streams; a bot's model always does.</summary>
    public bool IsStreamedUpstream => Door is not Door.ModelPlain;

    public string Selector => (IsBot ? "bot/id=" : "model/name=") + Model;

    /// <param name="more">Members behind the others, beginning with a comma.</param>
    public string Body(string question = "hi", string more = "") =>
        $$"""{"model":"{{Selector}}","messages":[{"role":"user","content":{{JsonSerializer.Serialize(question)}}}]{{(IsStream ? ",\"stream\":true" : "")}}{{more}}}""";

    public async Task<RawReply> AskAsync(string question = "hi", string more = "", CancellationToken? cancel = null)
    {
        var limit = cancel ?? TestContext.Current.CancellationToken;
        var reply = await RawReply.PostAsync(Setup.Client, "/v1/chat/completions", Body(question, more), limit);
        for (var tries = 0; tries < 100 && reply.IsBeforeItsBot; tries++)
        {
            await Task.Delay(50, limit);
            reply = await RawReply.PostAsync(Setup.Client, "/v1/chat/completions", Body(question, more), limit);
        }

        return reply;
    }

    public Call On(string place, params UpstreamAnswer[] answers)
    {
        Provider(place).On(NameAt(place), answers);
        return this;
    }

    /// <summary>What a place was asked, in order.</summary>
    public IReadOnlyList<Asked> AskedAt(string place) => Provider(place).Of(NameAt(place));

    public Task<Asked> NthAsync(string place, int number) =>
        Provider(place).NthAsync(NameAt(place), number, TestContext.Current.CancellationToken);

    /// <summary>The header's value for these attempts, each written as <c>place=outcome</c>.</summary>
    public string Trail(params string[] attempts) => $"{attempts.Length}; " + string.Join(", ", attempts.Select(attempt =>
    {
        var (place, outcome) = (attempt.Split('=')[0], attempt.Split('=')[1]);
        return $"{(place == "own" ? Model : place.Split('-')[0])}/{NameAt(place)}={outcome}";
    }));

    /// <summary>
    /// Whether a reply took these attempts. A connection that a test broke may be used once more before that is seen: such a try
    /// too many is no fault, where the test is not about connections.
    /// </summary>
    public void AssertAttempts(RawReply reply, params string[] attempts)
    {
        var told = reply.Headers.GetValueOrDefault("x-gateway-attempts");
        if (told is not null && !attempts.Any(attempt => attempt.EndsWith("=connect", StringComparison.Ordinal)))
        {
            var tries = told[(told.IndexOf(';', StringComparison.Ordinal) + 1)..].Split(',', StringSplitOptions.TrimEntries)
                .Where(attempt => !attempt.EndsWith("=connect", StringComparison.Ordinal)).ToList();
            told = tries.Count == 0 ? null : $"{tries.Count}; {string.Join(", ", tries)}";
        }

        Assert.Equal(attempts.Length == 0 ? null : Trail(attempts), told);
    }

    /// <summary>A whole answer, once, after these attempts.</summary>
    public void AssertAnswered(RawReply reply, string text, params string[] attempts)
    {
        Assert.True(reply.Status == 200, $"{Door}: {reply.Status} after {reply.Headers.GetValueOrDefault("x-gateway-attempts")}: {reply.Text}");
        AssertAttempts(reply, attempts);
        if (IsStream)
        {
            Assert.Equal((StreamEnding.Done, text), (reply.Ending, Transcript.ContentOf(reply.Body)));
            return;
        }

        Assert.False(reply.Broken);
        Assert.Equal(text, (string?)JsonNode.Parse(reply.Body)!["choices"]![0]!["message"]!["content"]);
    }

    /// <summary>A refusal with a status of its own, after these attempts.</summary>
    public async Task<JsonNode> AssertRefusedAsync(RawReply reply, int status, string? code, params string[] attempts)
    {
        Assert.True(reply.Status == status, $"{Door}: {reply.Status}, not {status}: {reply.Text}");
        AssertAttempts(reply, attempts);
        Assert.False(reply.Broken);
        Assert.Equal("application/json", reply.ContentType);
        Assert.Equal(status is 429 or 503, reply.Headers.ContainsKey("Retry-After"));
        await Setup.Schemas.AssertValidAsync("ErrorResponse", reply.Body, TestContext.Current.CancellationToken);
        var error = JsonNode.Parse(reply.Body)!["error"]!;
        Assert.Equal(code, (string?)error["code"]);
        return error;
    }

    /// <summary>A failure after content: at a stream's door the error event and the break, else the status.</summary>
    public JsonNode AssertBroken(RawReply reply, int status, string? code)
    {
        if (!IsStream)
        {
            Assert.True(reply.Status == status, $"{Door}: {reply.Status}, not {status}: {reply.Text}");
            return AssertCode(JsonNode.Parse(reply.Body)!["error"]!, code);
        }

        Assert.True(
            (reply.Status, reply.Ending) == (200, StreamEnding.ErrorThenAbort), $"{Door}: {reply.Status} {reply.Ending}: {reply.Text}");
        Assert.DoesNotContain("[DONE]", reply.Text, StringComparison.Ordinal);
        return AssertCode(JsonNode.Parse(Transcript.Events(reply.Body, mayBeCut: true)[^1])!["error"]!, code);
    }

    private static JsonNode AssertCode(JsonNode error, string? code)
    {
        Assert.Equal(code, (string?)error["code"]);
        return error;
    }

    private FaultProvider Provider(string place) => Setup.Provider(place == "own" ? "a" : place.Split('-')[0]);

    private string NameAt(string place) => place.Contains('-', StringComparison.Ordinal) ? $"{Model}-{place.Split('-')[1]}" : Model;
}
