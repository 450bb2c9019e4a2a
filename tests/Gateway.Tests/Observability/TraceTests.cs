using System.Diagnostics;
using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Observability;

/// <summary>Traces of a gateway as an operator runs it, as a collector on a real socket is sent them.</summary>
public sealed class TraceTests(TestPostgres postgres)
{
    private const string CallersTrace = "0af7651916cd43dd8448eb211c80319c";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_a_server_span_with_a_client_span_for_each_attempt_and_no_content()
    {
        // Arrange
        await using var collector = await OtlpReceiver.StartAsync();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(
            Answer.Refusal(503, "canary-error-7431", "server_error"),
            Answer.Json(Replies.Completion("told-model", "canary-reply-7431")));
        await using var gateway = await StartAsync(upstream, collector);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);

        // Act
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, key.Text, isStream: false));

        // Assert
        await UntilAsync(() => Mine(collector).Count == 3);
        Assert.Equal(["/v1/traces"], collector.Paths);
        Assert.Equal("gateway", collector.ServiceName);
        var request = Assert.Single(Mine(collector), s => s.Source == "Microsoft.AspNetCore");
        Assert.Equal(
            ("POST /v1/chat/completions", 2, "b7ad6b7169203331", false), (request.Name, request.Kind, request.ParentId, request.IsError));
        Assert.Equal(
            ("POST", "/v1/chat/completions", "200", "http", "ok"),
            (request.Attributes["http.request.method"], request.Attributes["http.route"],
                request.Attributes["http.response.status_code"], request.Attributes["url.scheme"], request.Attributes["gateway.end"]));

        var attempts = Mine(collector).Where(s => s.Source == "Gateway").OrderBy(s => s.Attributes["gateway.attempt"], StringComparer.Ordinal).ToList();
        Assert.Equal(["chat asked-model", "chat asked-model"], attempts.Select(a => a.Name));
        Assert.All(attempts, a =>
        {
            Assert.Equal((3, request.SpanId, 0), (a.Kind, a.ParentId, a.Events));
            Assert.Equal(
                ("chat", "scripted", "asked-model", "127.0.0.1", new Uri(upstream.BaseUrl).Port.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                (a.Attributes["gen_ai.operation.name"], a.Attributes["gen_ai.provider.name"], a.Attributes["gen_ai.request.model"],
                    a.Attributes["server.address"], a.Attributes["server.port"]));
        });
        Assert.Equal([true, false], attempts.Select(a => a.IsError));
        Assert.True(attempts[0].Attributes.ContainsKey("error.type"));
        Assert.Equal("told-model", attempts[1].Attributes["gen_ai.response.model"]);
        Assert.True(attempts[1].Attributes.ContainsKey("gen_ai.usage.input_tokens") && attempts[1].Attributes.ContainsKey("gen_ai.usage.output_tokens"));

        // The upstream is told of the attempt's own span, and of nothing else that the caller wrote.
        Assert.Equal(attempts.Select(a => $"00-{CallersTrace}-{a.SpanId}-01"), upstream.Requests.Select(r => r.Headers["traceparent"].ToString()));
        Assert.All(upstream.Requests, r => Assert.False(r.Headers.ContainsKey("tracestate") || r.Headers.ContainsKey("baggage")));
        Assert.DoesNotContain("7431", collector.Raw, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Text, collector.Raw, StringComparison.Ordinal);
        Assert.DoesNotContain("/health", collector.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streams_span_ends_with_it_and_says_when_it_was_cut()
    {
        // Arrange
        await using var collector = await OtlpReceiver.StartAsync();
        await using var upstream = await FakeUpstream.StartAsync();
        var events = Replies.WordEvents("told-model", ["canary", "-reply", "-7431"]);
        upstream.Answers(Replies.Stream(events), Replies.Stream([.. events.Take(2)]));
        await using var gateway = await StartAsync(upstream, collector);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);

        // Act
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, key.Text, isStream: true));
        await UntilAsync(() => Mine(collector).Count == 2);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => AskAsync(gateway, key.Text, isStream: true));

        // Assert
        await UntilAsync(() => Mine(collector).Any(s => s.IsError));
        var spans = Mine(collector).Where(s => s.Source == "Gateway").ToList();
        Assert.Equal("told-model", spans.First(s => !s.IsError).Attributes["gen_ai.response.model"]);
        Assert.Equal("cut", spans.First(s => s.IsError).Attributes["error.type"]);
        Assert.DoesNotContain("7431", collector.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_collector_nothing_is_told_to_the_upstream()
    {
        // Arrange
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.Json(Replies.Completion("told-model", "Hello.")));
        await using var gateway = await StartAsync(upstream, collector: null);
        var key = await gateway.CreateKeyAsync(cancel: Cancel);

        // Act
        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, key.Text, isStream: false));

        // Assert
        Assert.All(upstream.Requests, r => Assert.False(r.Headers.ContainsKey("traceparent")));
        Assert.NotEmpty(upstream.Requests);
    }

    private async Task<GatewayProcess> StartAsync(FakeUpstream upstream, OtlpReceiver? collector) =>
        await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
                Settings = collector is null ? new Dictionary<string, string>() : new Dictionary<string, string>
                {
                    ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Endpoint,
                    ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                    ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                },
                Yaml =
                    $$"""
                    providers: [ { name: scripted, baseUrl: "{{upstream.BaseUrl}}", apiKey: sk-canary-7431 } ]
                    models: [ { name: traced, deployments: [ { provider: scripted, model: asked-model } ] } ]
                    """,
            },
            Cancel);

    private static List<ReceivedSpan> Mine(OtlpReceiver collector) => [.. collector.Spans.Where(s => s.TraceId == CallersTrace)];

    private static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string key, bool isStream)
    {
        using var client = gateway.Client(key);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions?canary-query-7431");
        request.Headers.Add("traceparent", $"00-{CallersTrace}-b7ad6b7169203331-01");
        request.Headers.Add("baggage", "canary=baggage-7431");
        request.Headers.Add("User-Agent", "canary-agent-7431");
        request.Content = new StringContent(
            $$"""{"model":"model/name=traced","stream":{{(isStream ? "true" : "false")}},"messages":[{"role":"user","content":"canary-prompt-7431"}]}""",
            Encoding.UTF8, "application/json");
        using var reply = await client.SendAsync(request, Cancel);
        return reply.StatusCode;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), "It did not come true within 30 s.");
            await Task.Delay(20, Cancel);
        }
    }
}
