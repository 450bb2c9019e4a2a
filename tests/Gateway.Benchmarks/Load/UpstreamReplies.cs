using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>The events of one streamed reply.</summary>
/// <param name="All">One chunk with the role, those with text, the finish, usage if it is wanted, <c>[DONE]</c>.</param>
/// <param name="Chunks">How many have text; they are numbered from 0.</param>
internal sealed record UpstreamEvents(byte[][] All, int Chunks);

/// <summary>What the upstream answers, each made once.</summary>
internal static class UpstreamReplies
{
    private static readonly ConcurrentDictionary<int, byte[]> PlainByLength = new();
    private static readonly ConcurrentDictionary<(BenchModel Model, bool Usage), UpstreamEvents> EventsByModel = new();

    public static byte[] Models { get; } =
        """{"object":"list","data":[{"id":"bench","object":"model","created":1700000000,"owned_by":"bench"}]}"""u8.ToArray();

    public static byte[] Plain(BenchModel model) => PlainByLength.GetOrAdd(model.ContentLength, static length =>
        Encoding.UTF8.GetBytes(
            $$"""
            {"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"{{new string('x', length)}}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":60,"total_tokens":80},"system_fingerprint":"fp_bench"}
            """));

    public static UpstreamEvents Events(BenchModel model, bool withUsage) =>
        EventsByModel.GetOrAdd((model, withUsage), static key => MakeEvents(key.Model, key.Usage));

    private static UpstreamEvents MakeEvents(BenchModel model, bool withUsage)
    {
        const string EmptyUsage = ",\"usage\":null";
        const string Usage = ",\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":500,\"total_tokens\":520}";
        var none = withUsage ? EmptyUsage : "";
        List<string> payloads = [Chunk(Choice("{\"role\":\"assistant\",\"content\":\"\"}", "null"), none)];
        for (var number = 0; number < model.Chunks; number++)
        {
            var text = " w" + number.ToString("000", CultureInfo.InvariantCulture);
            text = text.PadRight(model.ContentLength / model.Chunks, 'x');
            payloads.Add(Chunk(Choice($$"""{"content":"{{text}}"}""", "null"), none));
        }

        payloads.Add(Chunk(Choice("{}", "\"stop\""), none));
        if (withUsage)
        {
            payloads.Add(Chunk("", Usage));
        }

        payloads.Add("[DONE]");
        return new UpstreamEvents([.. payloads.Select(payload => Encoding.UTF8.GetBytes($"data: {payload}\n\n"))], model.Chunks);
    }

    private static string Choice(string delta, string finish) =>
        $$"""{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{finish}}}""";

    private static string Chunk(string choices, string usage) =>
        """{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":["""
        + choices + "]" + usage + "}";
}
