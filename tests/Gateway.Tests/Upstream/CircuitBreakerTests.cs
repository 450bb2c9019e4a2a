using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

/// <summary>When a deployment is left alone, and how it comes back.</summary>
public sealed class CircuitBreakerTests
{
    private readonly SteppedTime _time = new();
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerTests() => _breaker = new CircuitBreaker(_time)
    {
        Options = new BreakerOptions(0.5, 4, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10)),
    };

    [Fact]
    public void It_stays_closed_below_the_minimum()
    {
        Fail(3);

        Assert.Equal(CircuitState.Closed, _breaker.State);
        Assert.True(_breaker.TryEnter(out _, out var isTrial));
        Assert.False(isTrial);
    }

    [Fact]
    public void It_opens_at_the_rate_and_not_before()
    {
        Succeed(5);
        Fail(4);
        Assert.Equal(CircuitState.Closed, _breaker.State);

        Fail(1);

        Assert.Equal(CircuitState.Open, _breaker.State);
        Assert.False(_breaker.TryEnter(out _, out _));
        Assert.InRange(_breaker.RetryAfter, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void What_is_older_than_the_window_does_not_count()
    {
        Fail(3);
        _time.Step(TimeSpan.FromSeconds(31));

        Fail(3);

        Assert.Equal(CircuitState.Closed, _breaker.State);
    }

    [Fact]
    public void Refusals_do_not_count()
    {
        for (var i = 0; i < 20; i++)
        {
            _breaker.TryEnter(out var ticket, out _);
            _breaker.Answered(ticket);
        }

        Fail(3);
        Assert.Equal(CircuitState.Closed, _breaker.State);
    }

    [Fact]
    public void A_break_after_a_success_is_one_more_failure()
    {
        for (var i = 0; i < 3; i++)
        {
            _breaker.TryEnter(out var ticket, out _);
            _breaker.Succeeded(ticket);
            _breaker.Failed(ticket);
        }

        Assert.Equal(CircuitState.Open, _breaker.State);
    }

    [Fact]
    public void One_request_is_the_trial_and_closes_it()
    {
        Open();

        Assert.True(_breaker.TryEnter(out var ticket, out var isTrial));
        Assert.True(isTrial);
        Assert.False(_breaker.TryEnter(out _, out _));
        _breaker.Succeeded(ticket);

        Assert.Equal(CircuitState.Closed, _breaker.State);
        // What was before is forgotten: two failures and the trial's success are below the minimum.
        Fail(2);
        Assert.Equal(CircuitState.Closed, _breaker.State);
    }

    [Fact]
    public void A_failed_trial_opens_it_for_as_long_again()
    {
        Open();
        _breaker.TryEnter(out var ticket, out _);
        _breaker.Failed(ticket);

        Assert.Equal(CircuitState.Open, _breaker.State);
        _time.Step(TimeSpan.FromSeconds(9));
        Assert.False(_breaker.TryEnter(out _, out _));
        _time.Step(TimeSpan.FromSeconds(1));
        Assert.True(_breaker.TryEnter(out _, out _));
    }

    [Fact]
    public void A_trial_whose_caller_left_makes_room_for_another()
    {
        Open();
        _breaker.TryEnter(out var first, out _);
        _breaker.Abandoned(first);

        Assert.True(_breaker.TryEnter(out var second, out var isTrial));
        Assert.True(isTrial);
        // The first one's verdict, should it come late, decides nothing.
        _breaker.Failed(first);
        _breaker.Succeeded(second);
        Assert.Equal(CircuitState.Closed, _breaker.State);
    }

    [Fact]
    public void A_trial_that_does_not_end_is_waited_for_no_longer_than_a_circuit_is_open()
    {
        Open();
        _breaker.TryEnter(out var silent, out _);

        _time.Step(TimeSpan.FromSeconds(9));
        Assert.False(_breaker.TryEnter(out _, out _));
        _time.Step(TimeSpan.FromSeconds(1));
        Assert.True(_breaker.TryEnter(out var next, out var isTrial));

        Assert.True(isTrial);
        _breaker.Succeeded(next);
        Assert.Equal(CircuitState.Closed, _breaker.State);
        _breaker.Abandoned(silent);
        Assert.Equal(CircuitState.Closed, _breaker.State);
    }

    [Fact]
    public void A_late_verdict_from_before_it_opened_changes_nothing()
    {
        _breaker.TryEnter(out var slow, out _);
        Fail(4);
        _breaker.Succeeded(slow);

        Assert.Equal(CircuitState.Open, _breaker.State);
    }

    private void Open()
    {
        Fail(4);
        _time.Step(TimeSpan.FromSeconds(10));
        Assert.Equal(CircuitState.HalfOpen, _breaker.State);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True(_breaker.TryEnter(out var ticket, out _));
            _breaker.Failed(ticket);
        }
    }

    private void Succeed(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True(_breaker.TryEnter(out var ticket, out _));
            _breaker.Succeeded(ticket);
        }
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks = TimeSpan.FromHours(1).Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Step(TimeSpan time) => _ticks += time.Ticks;
    }
}
