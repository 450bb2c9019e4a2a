using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace ChatKit.Tests.Server;

/// <summary>
/// Whatever a body holds: an answer, or a 4xx that says why, never a 5xx and never a fault in a stream.
/// <c>GATEWAY_PROPERTY_CASES</c> says how many (2,000 without it), <c>GATEWAY_PROPERTY_SEED</c> repeats a run.
/// </summary>
public sealed class MutatedRequestTests(ChatKitSchema schema, ITestOutputHelper output) : ServerTest(schema)
{
    private const int CasesAtATime = 16;
    private const int CaseSize = 3;

    [Fact]
    public async Task No_body_brings_the_server_down()
    {
        // Arrange
        var cases = (int?)Setting("GATEWAY_PROPERTY_CASES") ?? 2_000;
        var seed = Setting("GATEWAY_PROPERTY_SEED") ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var again = string.Create(CultureInfo.InvariantCulture, $"GATEWAY_PROPERTY_SEED={seed} GATEWAY_PROPERTY_CASES={cases}");
        output.WriteLine(again);
        var servers = new ConcurrentBag<ScriptedServer>();
        await using var app = await ChatKitApp.StartAsync(_ => servers.TryTake(out var server) ? server : throw new InvalidOperationException(), cancel: Cancel);
        var requests = MutatedRequest.Generator().Sample(cases, new Rnd(seed), CaseSize).ToList();
        Assert.Equal(cases, requests.Count);

        // Act
        var ok = 0;
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = CasesAtATime, CancellationToken = Cancel },
            async (request, cancel) =>
            {
                servers.Add(await SeededAsync(cancel));
                using var response = await app.PostAsync(request.Body, cancel);
                var text = await response.Content.ReadAsStringAsync(cancel);
                Interlocked.Add(ref ok, (int)response.StatusCode == 200 ? 1 : 0);
                if (WhatIsWrong((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, text) is { } wrong)
                {
                    failures.Enqueue($"{wrong}\nsent: {request}\ngot: {(int)response.StatusCode} {text}");
                }
            });

        // Assert
        Assert.True(failures.IsEmpty, $"{again}\n{failures.Count} failures, such as:\n{string.Join("\n\n", failures.Take(3))}");
        Assert.True(ok * 10 >= cases && ok * 10 <= cases * 9, $"{again}\n{ok} of {cases} cases were valid: too few or too many to mean anything.");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ok} of {cases} were answered 200"));
    }

    private static string? WhatIsWrong(int status, string? type, string text)
    {
        try
        {
            if (status != 200)
            {
                var error = JsonNode.Parse(text)!["error"]!;
                return status is >= 400 and < 500 && type == "application/json" && ((string)error["message"]!).Length > 10 && (string?)error["code"] is { Length: > 0 }
                    ? null
                    : "not a refusal in the envelope";
            }

            if (type == "application/json")
            {
                return JsonNode.Parse(text) is JsonObject ? null : "not a document";
            }

            var events = text.Split("\n\n")[..^1].Select(block => JsonNode.Parse(block["data: ".Length..])!).ToList();
            return events.Any(e => (string?)e["type"] == "error" && (bool)e["allow_retry"]!) ? "a fault in the stream" : null;
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or ArgumentException)
        {
            return $"not readable: {e.Message}";
        }
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>A server of its own for each request, with all that the valid ones name.</summary>
    private static async Task<ScriptedServer> SeededAsync(CancellationToken cancel)
    {
        var store = new NumberedStore();
        var files = new FakeAttachmentStore();
        await store.SaveAttachmentAsync(
            await files.CreateAttachmentAsync(new() { Name = "a.pdf", MimeType = "application/pdf", Size = 1 }, Ann, cancel), Ann, cancel);
        var server = new ScriptedServer(store, files)
        {
            OnRespond = (thread, _, _) => Script.Of(
                Make.Done(Make.Widget(thread, "msg_w", Make.Card("form"))),
                Make.Done(Make.Questions(thread, "msg_q", new FreeformInput { Id = "size", Question = "Which?" })),
                Make.Done(Make.Hidden(thread, "msg_h")),
                Make.Done(Make.ToolCall(thread, "tc_1"))),
            OnAction = (_, _, _) => Script.Of(),
            OnSyncAction = (_, sender, _) => new SyncActionResult { UpdatedItem = sender },
            OnTranscribe = (_, _) => new TranscriptionResult { Text = "hello" },
        };
        await using var begun = (StreamingResult)await server.ProcessAsync(
            System.Text.Encoding.UTF8.GetBytes(Ask.Create().ToJsonString()), Ann, cancel);
        await foreach (var _ in begun)
        {
        }

        return server;
    }
}
