using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Tests.Chat;
using Gateway.Tests.Support;

namespace Gateway.Tests.Properties;

[CollectionDefinition(Name)]
public sealed class PropertyTestsShareOneGateway : ICollectionFixture<ScriptedGateway>
{
    public const string Name = "Properties";
}

/// <summary>
/// Whatever a body holds: never a 5xx, always the envelope, and what is valid arrives as it was sent.
/// <c>GATEWAY_PROPERTY_CASES</c> says how many (2,000 without it), <c>GATEWAY_PROPERTY_SEED</c> repeats a run.
/// </summary>
[Collection(PropertyTestsShareOneGateway.Name)]
public sealed class MutatedRequestTests(ScriptedGateway setup, ITestOutputHelper output) : ScriptedTest(setup)
{
    private const int CasesAtATime = 32;
    private const int CaseSize = 12;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_body_brings_the_gateway_down_and_a_valid_one_arrives_as_sent(bool stream)
    {
        // Arrange
        var cases = Setting("GATEWAY_PROPERTY_CASES") is { } count ? (int)count / 2 : 1_000;
        var seed = Setting("GATEWAY_PROPERTY_SEED") ?? BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
        var again = string.Create(CultureInfo.InvariantCulture, $"GATEWAY_PROPERTY_SEED={seed} GATEWAY_PROPERTY_CASES={cases * 2}");
        output.WriteLine(again);
        var arrived = new ConcurrentDictionary<int, ConcurrentBag<string>>();
        Upstream.Answers(Answer.ByRequest(request =>
        {
            arrived.GetOrAdd(NumberOf(request.Json), _ => []).Add(Encoding.UTF8.GetString(request.Body));
            return request.Json["stream"]?.GetValueKind() == JsonValueKind.True
                ? Wire.Stream(Wire.Whole)
                : Answer.Json(Replies.Completion("plain", "Yes."));
        }));

        await UseBotOnceAsync();
        var requests = MutatedRequest.Generator(stream).Sample(cases, new Rnd(seed), CaseSize).ToList();
        Assert.Equal(cases, requests.Count);

        // Act
        var ok = 0;
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = CasesAtATime, CancellationToken = Cancel },
            async (request, cancel) =>
            {
                var reply = await Setup.ChatAsync(request.Body, cancel);
                if (reply.Status == 200)
                {
                    Interlocked.Increment(ref ok);
                }


                if (WhatIsWrong(request, reply, arrived) is { } wrong)
                {
                    failures.Enqueue($"{wrong}\nsent: {request}\ngot: {reply.Status} {reply.Text}");
                }
            });

        // Assert
        Assert.True(failures.IsEmpty, $"{again}\n{failures.Count} failures, such as:\n{string.Join("\n\n", failures.Take(3))}");
        Assert.True(ok * 10 >= cases * 3, $"{again}\nOnly {ok} of {cases} cases were valid.");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ok} of {cases} were answered 200"));
    }

    private static string? WhatIsWrong(MutatedRequest request, RawReply reply, ConcurrentDictionary<int, ConcurrentBag<string>> arrived)
    {
        if (reply.Status != 200)
        {
            return reply.Status is >= 400 and < 500 && IsEnvelope(reply) ? null : "not a refusal in the envelope";
        }

        var sent = JsonNode.Parse(request.Body)!;
        if (((string?)sent["model"])!.StartsWith("bot/", StringComparison.Ordinal))
        {
            return null;
        }

        if (reply.ContentType!.StartsWith("text/event-stream", StringComparison.Ordinal) && reply.Text != Wire.Whole)
        {
            return "the stream is not the upstream's";
        }

        if (!arrived.TryGetValue(NumberOf(sent), out var bodies))
        {
            return "nothing arrived";
        }

        var expected = Expected(request.Body);
        return expected is null || bodies.Contains(expected) ? null : $"arrived: {string.Join("\nor: ", bodies)}\nexpected: {expected}";
    }

    private static bool IsEnvelope(RawReply reply)
    {
        var error = JsonNode.Parse(reply.Body)?["error"]?.AsObject();
        return reply.ContentType == "application/json" && reply.Headers.ContainsKey("x-request-id") && !reply.Broken
            && error is { Count: 4 } && error["message"] is not null && error["type"] is not null
            && error.ContainsKey("param") && error.ContainsKey("code");
    }

    /// <summary>What the number says; 0, which several may share, where damage took it and left the body valid.</summary>
    private static int NumberOf(JsonNode body) =>
        body[MutatedRequest.NumberMember] is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;

    /// <summary>A bot's first use waits for the database for a moment only, and may be refused while all the others come.</summary>
    private async Task UseBotOnceAsync()
    {
        while ((await Setup.ChatAsync(Wire.Ask("bot/id=helper"), Cancel)).Status == 503)
        {
        }
    }

    /// <summary>
    /// What the specification says arrives, worked out anew: on the text, not with the gateway's own means. Null for
    /// functions, which are translated.
    /// </summary>
    private static string? Expected(byte[] sent)
    {
        var edits = new List<(int Start, int End, string Text)>();
        var reader = new Utf8JsonReader(sent);
        reader.Read();
        var (isStream, hasOptions, isLegacy) = (false, false, false);
        var options = (Start: 0, End: 0);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            if (name == "model")
            {
                var model = reader.GetString()!;
                var upstream = model[(model.IndexOf('=', StringComparison.Ordinal) + 1)..].Replace("%2F", "/", StringComparison.Ordinal);
                edits.Add((start, (int)reader.BytesConsumed, $"\"{(upstream == "named" ? "other-name" : upstream)}\""));
            }

            isStream |= name == "stream" && kind == JsonTokenType.True;
            isLegacy |= name is "functions" or "function_call" && kind != JsonTokenType.Null;
            reader.Skip();
            if (name == "stream_options")
            {
                (hasOptions, options) = (true, (start, (int)reader.BytesConsumed));
            }
        }

        var closing = (int)reader.TokenStartIndex;
        if (isStream && !hasOptions)
        {
            edits.Add((closing, closing, ",\"stream_options\":{\"include_usage\":true}"));
        }
        else if (isStream)
        {
            var given = Encoding.UTF8.GetString(sent[options.Start..options.End]);
            edits.Add((options.Start, options.End, given switch
            {
                "null" or "{}" => "{\"include_usage\":true}",
                _ when given.Contains("include_usage", StringComparison.Ordinal) => given.Replace("false", "true", StringComparison.Ordinal),
                _ => "{\"include_usage\":true," + given[1..],
            }));
        }

        var text = new StringBuilder();
        var at = 0;
        foreach (var (start, end, replacement) in edits.OrderBy(edit => edit.Start))
        {
            text.Append(Encoding.UTF8.GetString(sent[at..start])).Append(replacement);
            at = end;
        }

        text.Append(Encoding.UTF8.GetString(sent[at..]));
        return isLegacy ? null : text.ToString();
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
