using Gateway.Limits;

namespace Gateway.Tests.Limits;

/// <summary>Places for requests at a time, and the queue behind them.</summary>
public sealed class PlacesTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_who_wait_are_let_in_in_order_and_more_than_may_wait_are_not()
    {
        var places = new Places(TimeProvider.System);
        Assert.True(await places.EnterAsync(2, Long, Cancel));
        Assert.True(await places.EnterAsync(2, Long, Cancel));

        var third = places.EnterAsync(2, Long, Cancel).AsTask();
        var fourth = places.EnterAsync(2, Long, Cancel).AsTask();
        Assert.False(await places.EnterAsync(2, Long, Cancel));
        Assert.False(third.IsCompleted);
        places.Leave();

        Assert.True(await third);
        Assert.False(fourth.IsCompleted);
        places.Leave();
        Assert.True(await fourth);
    }

    [Fact]
    public async Task One_who_waited_too_long_or_left_takes_no_place()
    {
        var places = new Places(TimeProvider.System);
        Assert.True(await places.EnterAsync(1, Long, Cancel));

        Assert.False(await places.EnterAsync(1, TimeSpan.FromMilliseconds(20), Cancel));
        using var leaving = new CancellationTokenSource();
        var left = places.EnterAsync(1, Long, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        places.Leave();

        Assert.True(await places.EnterAsync(1, Long, Cancel));
        Assert.False(await places.EnterAsync(1, TimeSpan.FromMilliseconds(20), Cancel));
    }

    [Fact]
    public async Task A_raised_limit_lets_in_those_who_wait()
    {
        var places = new Places(TimeProvider.System);
        Assert.True(await places.EnterAsync(1, Long, Cancel));
        var waiting = places.EnterAsync(1, Long, Cancel).AsTask();

        Assert.True(await places.EnterAsync(3, Long, Cancel));

        Assert.True(await waiting);
    }

    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(19.2, "20ms")]
    [InlineData(1_000, "1s")]
    [InlineData(11_001, "12s")]
    [InlineData(59_500, "1m0s")]
    [InlineData(60_000, "1m0s")]
    [InlineData(360_000, "6m0s")]
    public void Durations_in_headers_are_written_as_OpenAI_does(double milliseconds, string expected) =>
        Assert.Equal(expected, RateLimitHeaders.Duration(TimeSpan.FromMilliseconds(milliseconds)));
}
