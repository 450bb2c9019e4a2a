using Gateway.Data;
using Gateway.Tests.ChatKit;
using Gateway.Usage;

namespace Gateway.Tests.Usage;

public class BatchWaitTests
{
    private readonly HandClock _clock = new();
    private readonly DatabaseNews _news;

    public BatchWaitTests() => _news = new DatabaseNews(_clock);

    [Fact]
    public void Rows_that_keep_coming_are_shipped_a_second_after_the_last_batch()
    {
        Assert.Equal(1_000, Ships(rowsInLook: 1));
    }

    [Fact]
    public void Many_rows_are_shipped_as_soon_as_there_are_256()
    {
        Assert.Equal(200, Ships(rowsInLook: 64));
    }

    [Theory]
    [InlineData(2, 400, 1_000)]
    [InlineData(3, 600, 1_500)]
    [InlineData(4, 800, 2_000)]
    [InlineData(5, 1_000, 2_000)]
    public void Of_several_gateways_each_waits_for_as_many_more_rows_and_up_to_two_seconds(int gateways, double withMany, double withFew)
    {
        _news.Tell(_clock.GetTimestamp(), gateways, 1, null);

        Assert.Equal(withMany, Ships(rowsInLook: 64));
        Assert.Equal(withFew, Ships(rowsInLook: 1));
    }

    [Fact]
    public void Rows_that_no_others_follow_are_shipped_after_a_moment()
    {
        var wait = new BatchWait(_news, _clock);
        wait.Begin(0);
        _clock.Advance(BatchWait.Look);
        Assert.False(wait.IsOver(3));

        _clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.False(wait.IsOver(3));
        _clock.Advance(BatchWait.Look);
        Assert.True(wait.IsOver(3));
    }

    /// <returns>Milliseconds until the rows are shipped.</returns>
    private double Ships(int rowsInLook)
    {
        var wait = new BatchWait(_news, _clock);
        wait.Begin(0);
        var rows = 0;
        var began = _clock.GetTimestamp();
        do
        {
            _clock.Advance(BatchWait.Look);
            rows += rowsInLook;
        }
        while (!wait.IsOver(rows));
        return _clock.GetElapsedTime(began).TotalMilliseconds;
    }
}
