using System.Diagnostics.Metrics;
using System.Text;
using Gateway.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Observability;

/// <summary>What becomes of measurements, with instruments of the tests' own under the gateway's meter name.</summary>
public sealed class MetricStoreTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Meter _meter = new(GatewayMetrics.MeterName);
    private readonly MetricStore _store;

    public MetricStoreTests() => _store = new MetricStore(_services.GetRequiredService<IMeterFactory>());

    public void Dispose()
    {
        _store.Dispose();
        _meter.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Counters_add_up_from_many_threads_and_label_order_makes_no_difference()
    {
        // Arrange
        var counter = _meter.CreateCounter<long>("test.adds", "{thing}", "Things.");

        // Act
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                counter.Add(1, new("a", "x"), new KeyValuePair<string, object?>("b", i % 7));
                counter.Add(1, new("b", i % 7), new KeyValuePair<string, object?>("a", "x"));
            }
        });

        // Assert
        var lines = Scrape().Samples.Where(s => s.Key.StartsWith("test_adds_total", StringComparison.Ordinal)).ToList();
        Assert.Equal([.. Enumerable.Range(0, 7).Select(b => $"test_adds_total{{a=\"x\",b=\"{b}\"}}")], lines.Select(l => l.Key));
        Assert.Equal(160_000, lines.Sum(l => l.Value));
    }

    [Fact]
    public void A_histogram_has_its_own_bounds_and_counts_what_lies_on_one_below_it()
    {
        // Arrange
        var histogram = _meter.CreateHistogram(
            "test.took", "s", "Time.", tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 2] });

        // Act
        foreach (var value in new[] { 0.25, 0.5, 1, 2, 8 })
        {
            histogram.Record(value);
        }

        // Assert
        var page = Scrape();
        Assert.Equal(
            (2, 4, 5, 11.75, 5),
            (page["test_took_seconds_bucket{le=\"0.5\"}"], page["test_took_seconds_bucket{le=\"2\"}"],
                page["test_took_seconds_bucket{le=\"+Inf\"}"], page["test_took_seconds_sum"], page["test_took_seconds_count"]));
    }

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        // Arrange
        var counter = _meter.CreateCounter<long>("test.odd-name", null, "Back\\slash and\nline.");

        // Act
        counter.Add(1, new KeyValuePair<string, object?>("a.b", "say \"hi\"\\\n"));

        // Assert
        var text = Encoding.UTF8.GetString(_store.Scrape());
        _ = new Exposition(text);
        Assert.Contains("# HELP test_odd_name_total Back\\\\slash and\\nline.\n", text, StringComparison.Ordinal);
        Assert.Contains("test_odd_name_total{a_b=\"say \\\"hi\\\"\\\\\\n\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_sets_of_labels_are_counted_together()
    {
        // Arrange
        var counter = _meter.CreateCounter<long>("test.many");

        // Act
        for (var i = 0; i < MetricFamily.MostSeries + 500; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("n", i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        // Assert
        var page = Scrape();
        Assert.Equal(500, page["test_many_total{otel_metric_overflow=\"true\"}"]);
        Assert.Equal(1, page["test_many_total{n=\"1999\"}"]);
        Assert.Null(page["test_many_total{n=\"2000\"}"]);
    }

    [Fact]
    public void An_observed_value_is_gone_when_its_source_is()
    {
        // Arrange
        var gauge = new ObservedGauge<int>(_meter, "test.state", null, "State.");
        using var one = gauge.Register(() => [new(2, new KeyValuePair<string, object?>("of", "one"))]);
        var other = gauge.Register(() => [new(1, new KeyValuePair<string, object?>("of", "other"))]);
        var before = Scrape();

        // Act
        other.Dispose();

        // Assert
        Assert.Equal((2, 1), (before["test_state{of=\"one\"}"], before["test_state{of=\"other\"}"]));
        var after = Scrape();
        Assert.Equal((2, null), (after["test_state{of=\"one\"}"], after["test_state{of=\"other\"}"]));
    }

    [Fact]
    public void Counting_a_request_with_known_labels_allocates_nothing()
    {
        // Arrange
        Count(100);
        var before = GC.GetAllocatedBytesForCurrentThread();

        // Act
        Count(10_000);

        // Assert: 10,000 requests; a boxed number in each would be 240 kB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_192);

        static void Count(int times)
        {
            for (var i = 0; i < times; i++)
            {
                GatewayMetrics.RequestStarted();
                GatewayMetrics.RequestEnded("/test/allocations", 200, EndLabel.Of("ok"), 0.125);
                GatewayMetrics.AttemptEnded("p", "m", "ok", 0.125);
                GatewayMetrics.Tokens("m", 10, 5, 20, 1);
            }
        }
    }

    [Theory]
    [InlineData("ok", "ok")]
    [InlineData("rate_limit_exceeded", "rate_limit_exceeded")]
    [InlineData("sk-proj-4711", "other")]
    [InlineData("The key abc is wrong", "other")]
    [InlineData("", "other")]
    [InlineData("a_word_that_is_much_too_long_to_be_any_code_at_all", "other")]
    public void Only_what_looks_like_a_code_becomes_a_label(string end, string label) => Assert.Equal(label, EndLabel.Of(end));

    private Exposition Scrape() => new(Encoding.UTF8.GetString(_store.Scrape()));
}
