using System.Text;
using Gateway.Benchmarks.Load;
using Gateway.Http;
using Gateway.Upstream;
using Gateway.Usage;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Benchmarks.Allocations;

/// <summary>The relay of a model's stream, from the upstream's bytes to the caller's, with nothing but memory around it.</summary>
internal static class RelayAllocations
{
    private const int Chunks = 20_000;
    private const int Rounds = 4;

    /// <summary>In a read of several chunks.</summary>
    private const int Together = 8;

    private static readonly byte[] Request = """{"model":"bench","stream":true,"messages":[{"role":"user","content":"hi"}]}"""u8.ToArray();

    private static readonly byte[][] Events = UpstreamReplies.Events(BenchModel.Parse("bench"), withUsage: false).All;

    private static ReadOnlySpan<byte> Done => "data: [DONE]\n\n"u8;

    /// <returns>Bytes a chunk, for each kind of stream.</returns>
    public static async Task<IReadOnlyDictionary<string, double>> CountAsync()
    {
        var upstream = new ScriptedUpstream();
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddUpstream()
            .AddSingleton(new Transport(_ => upstream))
            .BuildServiceProvider();
        var relay = services.GetRequiredService<ChatRelay>();
        var figures = new Dictionary<string, double>();
        foreach (var (name, pieces, chunksAPiece, keepsText) in Streams())
        {
            figures[name] = await AllocationMeter.PerUnitAsync(Chunks, Rounds, chunks =>
            {
                upstream.Pieces = n => Piece(pieces, n, chunks / chunksAPiece);
                return RunAsync(relay, keepsText);
            }, wanted: 0);
        }

        return figures;
    }

    private static IEnumerable<(string Name, byte[][] Pieces, int ChunksAPiece, bool KeepsText)> Streams()
    {
        var texts = Events[1..(BenchModel.DefaultChunks + 1)];
        yield return ("one a read", texts, 1, false);
        yield return ("one a read, kept for a rescue", texts, 1, true);
        yield return ("several a read", [.. texts.Chunk(Together).Select(Join).SkipLast(1)], Together, false);
        yield return ("cut in the middle", [.. texts.Chunk(Together).SkipLast(1).SelectMany(Halves)], Together / 2, false);
        yield return ("each different", [.. texts.Select(Obfuscated)], 1, true);
        yield return ("reasoning", [.. texts.Select(t => Replace(t, "\"content\"", "\"reasoning_content\""))], 1, false);
        yield return ("tool call arguments", [.. texts.Select(ToolCall)], 1, false);
    }

    /// <summary>The role; pieces of text, over and over; the ending.</summary>
    private static ReadOnlyMemory<byte> Piece(byte[][] pieces, int number, int count) =>
        number == 0 ? Events[0]
        : number <= count ? pieces[(number - 1) % pieces.Length]
        : number == count + 1 ? Events[^2]
        : number == count + 2 ? Events[^1]
        : default;

    private static async Task RunAsync(ChatRelay relay, bool keepsText)
    {
        var caller = new ScriptedCaller();
        var http = caller.ToContext();
        var facts = new RequestFacts { RequestId = "req_1" };
        http.Features.Set(facts);
        await using (var response = new EventStreamResponse(http, TimeProvider.System))
        {
            await relay.RunAsync(Call(keepsText), response, facts, null, static () => { }, CancellationToken.None);
        }

        if (!caller.LastSent.EndsWith(Done))
        {
            throw new InvalidOperationException($"The stream ended as '{Encoding.UTF8.GetString(caller.LastSent)}'.");
        }
    }

    private static UpstreamCall Call(bool keepsText)
    {
        JsonBody.TryRead(Request, null, out var body, out _);
        var provider = new Provider("scripted", "http://scripted.test/v1", null, []);
        var deployment = new Deployment(provider, "bench", SupportsPrefill: keepsText);
        var model = new Model("bench", [], [deployment], [], ModelTimeouts.Default, DateTime.UnixEpoch);
        var subject = new UsageSubject(Guid.Empty, Guid.Empty, "req_1", "/v1/chat/completions", "model/name=bench", null);
        return new UpstreamCall
        {
            Route = new ModelRoute(model, "bench", "model/name=bench", []),
            Path = "chat/completions",
            Body = body,
            Usage = new UsageJournal(TimeProvider.System).Begin(subject),
            IsStream = true,
        };
    }

    private static byte[] Join(byte[][] pieces) => [.. pieces.SelectMany(p => p)];

    /// <summary>Two pieces with the same number of events between them, the cut in the middle of one.</summary>
    private static IEnumerable<byte[]> Halves(byte[][] pieces)
    {
        var all = Join(pieces);
        return [all[..(all.Length / 2)], all[(all.Length / 2)..]];
    }

    /// <summary>As OpenAI sends it: random characters in each, that hide how long the text is.</summary>
    private static byte[] Obfuscated(byte[] chunk, int number) =>
        Replace(chunk, "\"object\"", $"\"obfuscation\":\"{number:x8}{number * 7919:x8}\",\"object\"");

    private static byte[] ToolCall(byte[] chunk) => Replace(
        Replace(chunk, "\"content\":\" w", "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\""),
        "\"},\"logprobs\"", "\"}}]},\"logprobs\"");

    private static byte[] Replace(byte[] chunk, string old, string with) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(chunk).Replace(old, with, StringComparison.Ordinal));
}
