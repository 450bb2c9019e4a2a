using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Observability;

/// <summary>One span as a collector was sent it.</summary>
internal sealed record ReceivedSpan(
    string Source, string Name, int Kind, string TraceId, string SpanId, string ParentId, bool IsError,
    IReadOnlyDictionary<string, string> Attributes, int Events);

/// <summary>A collector: takes OTLP over HTTP as protobuf, and keeps the spans.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly FakeUpstream _server;
    private readonly Lock _gate = new();
    private readonly List<ReceivedSpan> _spans = [];
    private readonly StringBuilder _raw = new();

    private OtlpReceiver(FakeUpstream server)
    {
        _server = server;
        server.Answers((http, request) =>
        {
            Take(request.Body);
            http.Response.ContentType = "application/x-protobuf";
            return Task.CompletedTask;
        });
    }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
    public string Endpoint => _server.BaseUrl[..^"/v1".Length];

    public IReadOnlyList<string> Paths => [.. _server.Requests.Select(r => r.Target).Distinct()];

    public IReadOnlyList<ReceivedSpan> Spans
    {
        get
        {
            lock (_gate)
            {
                return [.. _spans];
            }
        }
    }

    /// <summary>Everything received, for what must be nowhere in it.</summary>
    public string Raw
    {
        get
        {
            lock (_gate)
            {
                return _raw.ToString();
            }
        }
    }

    public string ServiceName { get; private set; } = "";

    public static async Task<OtlpReceiver> StartAsync() => new(await FakeUpstream.StartAsync());

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private void Take(byte[] body)
    {
        lock (_gate)
        {
            _raw.Append(Encoding.Latin1.GetString(body));
            foreach (var resource in new ProtobufMessage(body).Messages(1))
            {
                ServiceName = Attributes(resource.Messages(1).Single(), 1).GetValueOrDefault("service.name", "");
                foreach (var scope in resource.Messages(2))
                {
                    var source = scope.Messages(1).Single().Text(1);
                    _spans.AddRange(scope.Messages(2).Select(span => Read(source, span)));
                }
            }
        }
    }

    private static ReceivedSpan Read(string source, ProtobufMessage span) => new(
        source, span.Text(5), (int)span.Number(6), Convert.ToHexStringLower(span.Bytes(1)), Convert.ToHexStringLower(span.Bytes(2)),
        Convert.ToHexStringLower(span.Bytes(4)), span.Messages(15).Any(status => status.Number(3) == 2), Attributes(span, 9),
        span.Messages(11).Count());

    private static Dictionary<string, string> Attributes(ProtobufMessage message, int field) =>
        message.Messages(field).ToDictionary(pair => pair.Text(1), pair => Value(pair.Messages(2).Single()));

    private static string Value(ProtobufMessage value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(3) ? ((long)value.Number(3)).ToString(System.Globalization.CultureInfo.InvariantCulture)
        : value.Has(2) ? (value.Number(2) == 1).ToString()
        : "?";
}
