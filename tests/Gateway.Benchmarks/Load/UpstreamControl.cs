using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Benchmarks.Load;

/// <summary>What <see cref="BenchUpstream"/> has done since it started: the answer to <c>GET /stats</c>.</summary>
/// <param name="Requests">Requests to models that it got in full.</param>
/// <param name="BodyBytes">Bytes of their bodies.</param>
/// <param name="Streams">Of them, those answered with a stream.</param>
/// <param name="Chunks">Chunks with text that it wrote.</param>
/// <param name="Aborted">Requests whose sender left before the answer was whole.</param>
/// <param name="Open">Paced streams that are being written.</param>
/// <param name="Held">Requests that wait for a release.</param>
internal sealed record UpstreamStats(
    long Requests, long BodyBytes, long Streams, long Chunks, long Aborted, int Open, int Held);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UpstreamStats))]
internal sealed partial class UpstreamJson : JsonSerializerContext;

/// <summary>Asks the upstream itself, past the system.</summary>
internal sealed class UpstreamControl(Uri upstream)
{
    private static readonly HttpClient Http = new();

    public UpstreamStats Stats()
    {
        using var reply = Send(HttpMethod.Get, "/stats");
        return JsonSerializer.Deserialize(reply.Content.ReadAsStream(), UpstreamJson.Default.UpstreamStats)!;
    }

    /// <summary>Answers every request that is held.</summary>
    public void Release() => Send(HttpMethod.Post, "/release").Dispose();

    private HttpResponseMessage Send(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, new Uri(upstream, path));
        return Http.Send(request).EnsureSuccessStatusCode();
    }
}
