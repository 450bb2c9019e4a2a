using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Benchmarks;

/// <summary>
/// An upstream that costs next to nothing: fixed bytes, made once. Answers every POST with a chat completion of about
/// 600 bytes or, for <c>"stream": true</c>, with 500 chunks as fast as they are taken, and every GET with a list of models.
/// </summary>
internal static class BenchUpstream
{
    /// <summary>Chunks with text in one streamed reply; deploy/bench.sh counts with the same number.</summary>
    public const int Chunks = Load.BenchModel.DefaultChunks;

    private static readonly byte[] Reply = Encoding.UTF8.GetBytes(
        $$"""
        {"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"{{new string('x', 300)}}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":60,"total_tokens":80},"system_fingerprint":"fp_bench"}
        """);

    private static readonly byte[] Models =
        """{"object":"list","data":[{"id":"bench","object":"model","created":1700000000,"owned_by":"bench"}]}"""u8.ToArray();

    private static readonly byte[][] EventsWithUsage = MakeEvents(usage: true);

    private static readonly byte[][] Events = MakeEvents(usage: false);

    /// <param name="url">Where it speaks HTTP/1.1.</param>
    /// <param name="http2Url">Where it speaks HTTP/2 without TLS; null: nowhere.</param>
    public static async Task RunAsync(string url, string? http2Url = null)
    {
        await using var app = BenchServer.Create(url, http2Url).Build();
        app.Run(AnswerAsync);
        await app.RunAsync();
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        if (HttpMethods.IsGet(http.Request.Method))
        {
            await WriteAsync(http.Response, "application/json", Models, cancel);
            return;
        }

        var (stream, usage) = await ReadAsync(http.Request.BodyReader, cancel);
        if (!stream)
        {
            await WriteAsync(http.Response, "application/json", Reply, cancel);
            return;
        }

        http.Response.ContentType = "text/event-stream";
        // One flush for each event, as a real upstream does: a proxy must cope with many small reads.
        foreach (var bytes in usage ? EventsWithUsage : Events)
        {
            await http.Response.BodyWriter.WriteAsync(bytes, cancel);
        }
    }

    private static async Task WriteAsync(HttpResponse response, string type, byte[] bytes, CancellationToken cancel)
    {
        response.ContentType = type;
        response.ContentLength = bytes.Length;
        await response.BodyWriter.WriteAsync(bytes, cancel);
    }

    private static async Task<(bool Stream, bool Usage)> ReadAsync(PipeReader body, CancellationToken cancel)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancel);
            if (!read.IsCompleted)
            {
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var json = new Utf8JsonReader(read.Buffer);
            var (stream, usage) = (false, false);
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    var isStream = json.CurrentDepth == 1 && json.ValueTextEquals("stream"u8);
                    var isUsage = json.CurrentDepth == 2 && json.ValueTextEquals("include_usage"u8);
                    json.Read();
                    stream |= isStream && json.TokenType == JsonTokenType.True;
                    usage |= isUsage && json.TokenType == JsonTokenType.True;
                }
            }

            body.AdvanceTo(read.Buffer.End);
            return (stream, usage);
        }
    }

    private static byte[][] MakeEvents(bool usage)
    {
        const string EmptyUsage = ",\"usage\":null";
        const string Usage = ",\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":500,\"total_tokens\":520}";
        var none = usage ? EmptyUsage : "";
        List<string> payloads = [Chunk(Choice("{\"role\":\"assistant\",\"content\":\"\"}", "null"), none)];
        for (var number = 0; number < Chunks; number++)
        {
            var text = number.ToString("000", CultureInfo.InvariantCulture);
            payloads.Add(Chunk(Choice($$"""{"content":" w{{text}}"}""", "null"), none));
        }

        payloads.Add(Chunk(Choice("{}", "\"stop\""), none));
        if (usage)
        {
            payloads.Add(Chunk("", Usage));
        }

        payloads.Add("[DONE]");
        return [.. payloads.Select(payload => Encoding.UTF8.GetBytes($"data: {payload}\n\n"))];
    }

    private static string Choice(string delta, string finish) =>
        $$"""{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{finish}}}""";

    private static string Chunk(string choices, string usage) =>
        """{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":["""
        + choices + "]" + usage + "}";
}
