using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>
/// Requests of the protocol, uploads too, at the real door: whatever they hold, an answer that follows the schema or a 4xx that
/// says why (501 for what bots do not do), no fault in a stream, and nothing stored that cannot be read afterwards.
/// <c>GATEWAY_PROPERTY_CASES</c> says how many (2,000 without it), <c>GATEWAY_PROPERTY_SEED</c> repeats a run.
/// </summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class MutatedRequestTests(ChatKitSetup setup, ChatKitContract contract, ITestOutputHelper output)
{
    private const int CasesAtATime = 8;
    private const int CasesOfAStage = 25;
    private const int CaseSize = 3;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_is_a_fault_of_the_gateway_s_or_leaves_one()
    {
        // Arrange
        var cases = (int?)Setting("GATEWAY_PROPERTY_CASES") ?? 2_000;
        var seed = Setting("GATEWAY_PROPERTY_SEED") ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var again = string.Create(CultureInfo.InvariantCulture, $"GATEWAY_PROPERTY_SEED={seed} GATEWAY_PROPERTY_CASES={cases}");
        output.WriteLine(again);
        var requests = MutatedChat.Generator().Sample(cases, new Rnd(seed), CaseSize).ToList();
        Assert.Equal(cases, requests.Count);

        // Act
        var statuses = new ConcurrentDictionary<int, int>();
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            requests.Chunk(CasesOfAStage).Index(),
            new ParallelOptions { MaxDegreeOfParallelism = CasesAtATime, CancellationToken = Cancel },
            async (part, cancel) =>
            {
                using var stage = await MutatedStage.OpenAsync(setup, contract, part.Index);
                foreach (var request in part.Item)
                {
                    var reply = await SendAsync(request, stage, cancel);
                    statuses.AddOrUpdate(reply.Status, 1, (_, count) => count + 1);
                    if (await WhatIsWrongAsync(request, reply) is { } wrong)
                    {
                        failures.Enqueue($"{wrong}\nsent: {request.Kind} {Encoding.UTF8.GetString(request.On(stage.Ids))}\ngot: {reply.Status} {reply.Text}");
                    }
                }
            });
        var threads = await ReadAllAsync(failures);

        // Assert
        Assert.True(failures.IsEmpty, $"{again}\n{failures.Count} failures, such as:\n{string.Join("\n\n", failures.Take(3))}");
        var ok = statuses.GetValueOrDefault(200);
        Assert.True(ok * 10 >= cases && ok * 10 <= cases * 9, $"{again}\n{ok} of {cases} cases were valid: too few or too many to mean anything.");
        Assert.True(threads > cases / CasesOfAStage);
        output.WriteLine(string.Join(", ", statuses.OrderBy(s => s.Key).Select(s => $"{s.Value} × {s.Key}")) + $"; {threads} threads read");
    }

    private static async Task<RawReply> SendAsync(MutatedChat request, MutatedStage stage, CancellationToken cancel)
    {
        var (method, address, type) = request.Kind switch
        {
            MutatedKind.Form => (HttpMethod.Post, new Uri("/v1/chatkit/attachments", UriKind.Relative), $"multipart/form-data; boundary={MutatedChat.Boundary}"),
            MutatedKind.Bytes => (HttpMethod.Put, stage.Link, "application/octet-stream"),
            _ => (HttpMethod.Post, new Uri(stage.Path, UriKind.Relative), "application/json"),
        };
        using var message = new HttpRequestMessage(method, address) { Content = new ByteArrayContent(request.On(stage.Ids)) };
        message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await RawReply.ReadAsync(stage.Page.Client, message, cancel);
    }

    private async Task<string?> WhatIsWrongAsync(MutatedChat request, RawReply reply)
    {
        try
        {
            if (reply.Status != 200)
            {
                var error = JsonNode.Parse(reply.Body)?["error"]?.AsObject();
                return reply.Status is (>= 400 and < 500) or 501 && reply.ContentType == "application/json" && reply.Headers.ContainsKey("x-request-id")
                    && error is { Count: 4 } && ((string?)error["message"])?.Length > 10 && (string?)error["type"] is { Length: > 0 }
                        ? null
                        : "not a refusal in the envelope";
            }

            if (request.Kind != MutatedKind.Chat)
            {
                return await WrongAsync(request.Kind == MutatedKind.Form ? "DirectUploadRes" : "Attachment", reply.Body);
            }

            var type = (string)JsonNode.Parse(request.Body)!["type"]!;
            if (ChatPage.Replies.TryGetValue(type, out var document))
            {
                return await WrongAsync(document, reply.Body);
            }

            return reply.Broken ? "the stream broke" : await WrongEventAsync(type, reply.Text);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or ArgumentException)
        {
            return $"not readable: {e.Message}";
        }
    }

    private async Task<string?> WrongEventAsync(string type, string text)
    {
        foreach (var block in text.Split("\n\n")[..^1])
        {
            var json = Encoding.UTF8.GetBytes(block["data: ".Length..]);
            // What is no widget has no actions: the protocol's own answer to that has this code.
            if (type != "threads.custom_action" && (string?)JsonNode.Parse(json)!["code"] == "stream.error")
            {
                return "a fault in the stream";
            }

            if (await WrongAsync("StreamEvent", json) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    private async Task<string?> WrongAsync(string definition, ReadOnlyMemory<byte> json) =>
        await contract.ValidateAsync(definition, json, Cancel) is { Count: > 0 } errors ? $"no {definition}: {string.Join(", ", errors)}" : null;

    /// <summary>Every thread and item that is there now, as the workspace's servers list them. How many threads.</summary>
    private async Task<int> ReadAllAsync(ConcurrentQueue<string> failures)
    {
        using var server = setup.Gateway.Client(setup.Key.Text);
        var threads = new List<string>();
        for (var after = ""; ;)
        {
            var page = JsonNode.Parse(await server.GetStringAsync($"/v1/chatkit/threads?limit=100&user=mutant{after}", Cancel))!;
            threads.AddRange(page["data"]!.AsArray().Select(thread => (string)thread!["id"]!));
            if (!(bool)page["has_more"]!)
            {
                break;
            }

            after = $"&after={page["last_id"]}";
        }

        await Parallel.ForEachAsync(
            threads,
            new ParallelOptions { MaxDegreeOfParallelism = CasesAtATime, CancellationToken = Cancel },
            async (thread, cancel) =>
            {
                using var reply = await server.GetAsync($"/v1/chatkit/threads/{thread}/items?limit=100", cancel);
                var text = await reply.Content.ReadAsStringAsync(cancel);
                if (!reply.IsSuccessStatusCode || JsonNode.Parse(text)!["data"] is not JsonArray)
                {
                    failures.Enqueue($"thread {thread} cannot be read: {(int)reply.StatusCode} {text}");
                }
            });
        return threads.Count;
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
