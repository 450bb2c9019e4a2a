using Gateway.Benchmarks.Load;

namespace Gateway.Tests.Performance;

public class LatencyHistogramTests
{
    [Fact]
    public void Nothing_added_gives_zeros()
    {
        Assert.Equal(new LatencyFigures(0, 0, 0, 0, 0, 0, 0), new LatencyHistogram().ToFigures());
    }

    [Fact]
    public void Percentiles_are_within_one_percent_over_seven_orders_of_magnitude()
    {
        for (var scale = 100L; scale < 1_000_000_000; scale *= 10)
        {
            var histogram = new LatencyHistogram();
            for (var i = 1; i <= 1000; i++)
            {
                histogram.Add(i * scale);
            }

            Assert.All(
                [0.5, 0.9, 0.99, 0.999],
                share => Assert.InRange(histogram.Percentile(share), share * 1000 * scale, (share * 1000 * scale * 1.01) + 1));
        }
    }

    [Fact]
    public void Mean_and_maximum_are_exact()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromMilliseconds(1));
        histogram.Add(TimeSpan.FromMilliseconds(1.5));
        histogram.Add(TimeSpan.FromMilliseconds(777.7));

        var figures = histogram.ToFigures();

        Assert.Equal((3, 260.0667, 777.7), (figures.Count, figures.Mean, figures.Max));
    }

    [Fact]
    public void One_slow_request_of_a_hundred_is_beyond_the_99th_and_the_second_is_not()
    {
        var histogram = new LatencyHistogram();
        for (var i = 0; i < 99; i++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(1));
        }

        histogram.Add(TimeSpan.FromSeconds(1));
        Assert.InRange(histogram.ToFigures().P99, 1, 1.01);

        histogram.Add(TimeSpan.FromSeconds(1));
        Assert.InRange(histogram.ToFigures().P99, 990, 1010);
    }

    [Fact]
    public void Longer_than_an_hour_counts_as_the_longest()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(long.MaxValue);

        Assert.Equal(1, histogram.Count);
        Assert.True(histogram.Percentile(0.5) > TimeSpan.FromHours(1).TotalNanoseconds);
    }
}
