using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using YamlDotNet.Serialization;

namespace Gateway.Tests.Observability;

/// <summary>The alert rules and the dashboard in <c>deploy/</c>, held against what a running gateway exposes.</summary>
public sealed class DeployedMetricsTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_metric_of_rules_and_dashboard_is_exposed_and_none_of_ours_is_forgotten()
    {
        // Arrange
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel) }, Cancel);
        using var client = gateway.Client(GatewayProcess.AdminKey);

        // Act
        var page = new Exposition(await client.GetStringAsync("/metrics", Cancel));

        // Assert: up is Prometheus' own.
        var named = Rules().Select(r => r.Query).Concat(Panels()).SelectMany(PromQl.Metrics).Distinct().ToList();
        Assert.Equal(["up"], named.Except(page.Names));
        Assert.DoesNotContain(page.Types.Keys, name => name.StartsWith("gateway_", StringComparison.Ordinal)
            && !named.Any(n => n == name || n.StartsWith(name + "_", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("gateway_journal_lost_records_total")]
    [InlineData("gateway_journal_pending_rows")]
    [InlineData("gateway_breaker_state")]
    [InlineData("gateway_requests_total")]
    [InlineData("gateway_database_up")]
    [InlineData("gateway_config_age_seconds")]
    [InlineData("gateway_limit_refusals_total")]
    public void What_must_not_go_unseen_has_an_alert(string metric) =>
        Assert.Contains(Rules(), rule => PromQl.Metrics(rule.Query).Contains(metric));

    [Fact]
    public void Every_alert_has_a_name_of_its_own_a_severity_and_a_summary()
    {
        var rules = Rules();

        Assert.Equal(rules.Select(r => r.Name).Distinct(), rules.Select(r => r.Name));
        Assert.All(rules, r => Assert.True(r.Severity is "critical" or "warning" && r.Summary.Length > 0, r.Name));
        Assert.Contains(rules, r => r.Query.Contains("kind=\"unavailable\"", StringComparison.Ordinal));
    }

    [Fact]
    public void The_dashboards_panels_are_distinct_and_lie_within_its_width()
    {
        var panels = Dashboard()["panels"]!.AsArray();

        Assert.Equal(panels.Select(p => (int)p!["id"]!).Distinct().Count(), panels.Count);
        Assert.All(panels, p => Assert.InRange((int)p!["gridPos"]!["x"]! + (int)p["gridPos"]!["w"]!, 1, 24));
        Assert.All(panels.Where(p => (string)p!["type"]! != "row"), p => Assert.NotEmpty(p!["targets"]!.AsArray()));
    }

    [Theory]
    [InlineData("sum(rate(a_total[5m])", null)]
    [InlineData("sum by (x, y) (rate(a_total{l=~\"b(\"}[5m])) / (c > 0.1) * 1e3", "a_total,c")]
    [InlineData("histogram_quantile(0.95, sum by (le) (rate(a_bucket[$__rate_interval]))) and on (i) b_c unless d", "a_bucket,b_c,d")]
    public void A_querys_metrics_are_found_and_a_broken_query_is_seen(string query, string? metrics)
    {
        if (metrics is null)
        {
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => PromQl.Metrics(query));
            return;
        }

        Assert.Equal(metrics.Split(','), PromQl.Metrics(query));
    }

    private static IReadOnlyList<(string Name, string Query, string Severity, string Summary)> Rules()
    {
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(
            File.ReadAllText(Repository.PathOf("deploy", "prometheus", "gateway.rules.yaml")));
        return
        [
            .. from @group in file["groups"]
               from Dictionary<object, object> rule in (List<object>)@group["rules"]
               select ((string)rule["alert"], (string)rule["expr"], (string)((Dictionary<object, object>)rule["labels"])["severity"],
                   (string)((Dictionary<object, object>)rule["annotations"])["summary"]),
        ];
    }

    private static JsonObject Dashboard() =>
        JsonNode.Parse(File.ReadAllText(Repository.PathOf("deploy", "grafana", "gateway.json")))!.AsObject();

    private static IEnumerable<string> Panels() =>
        from panel in Dashboard()["panels"]!.AsArray()
        from target in panel!["targets"]?.AsArray() ?? []
        select (string)target!["expr"]!;
}
