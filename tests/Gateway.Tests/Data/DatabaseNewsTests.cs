using Gateway.Data;
using Gateway.Tests.ChatKit;

namespace Gateway.Tests.Data;

/// <summary>Which looks a report of the database saves, and for how long.</summary>
public sealed class DatabaseNewsTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly HandClock _clock = new();
    private readonly DatabaseNews _news;

    public DatabaseNewsTests()
    {
        _news = new DatabaseNews(_clock);
        _clock.Advance(TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_look_at_the_version_is_put_off_to_an_interval_after_the_report_that_tells_of_it()
    {
        var toldAt = Tell(version: 7);
        _clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(TimeSpan.FromSeconds(6), _news.UntilVersion(7, Interval, out var asOf));
        Assert.Equal(toldAt, asOf);
        Assert.Equal(TimeSpan.Zero, _news.UntilVersion(6, Interval, out _));
        Assert.Equal(TimeSpan.Zero, _news.UntilVersion(8, Interval, out _));
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TimeSpan.Zero, _news.UntilVersion(7, Interval, out _));
    }

    [Fact]
    public void Nothing_is_put_off_where_nothing_was_told()
    {
        Assert.Equal(TimeSpan.Zero, _news.UntilVersion(0, Interval, out _));
        Assert.Equal(TimeSpan.Zero, _news.UntilJobs(0, Interval));
        Assert.Equal(1, _news.Gateways);
    }

    [Fact]
    public void A_look_for_jobs_is_put_off_by_a_report_from_after_the_last_one_and_until_the_next_is_due()
    {
        var lookedAt = Tell(version: 1);
        Assert.Equal(TimeSpan.Zero, _news.UntilJobs(lookedAt, Interval));

        _clock.Advance(TimeSpan.FromSeconds(1));
        Tell(version: 1);
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(6), _news.UntilJobs(lookedAt, Interval));

        Tell(version: 1, due: TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(3), _news.UntilJobs(lookedAt, Interval));
        Tell(version: 1, due: TimeSpan.FromMinutes(3));
        Assert.Equal(Interval, _news.UntilJobs(lookedAt, Interval));
        Tell(version: 1, due: TimeSpan.FromSeconds(-3));
        Assert.Equal(TimeSpan.FromSeconds(-3), _news.UntilJobs(lookedAt, Interval));
    }

    [Fact]
    public void The_other_gateways_are_forgotten_when_nothing_is_heard_of_the_database_for_as_long_as_makes_one_dead()
    {
        Tell(version: 1);
        _clock.Advance(TimeSpan.FromSeconds(44));
        Assert.Equal(4, _news.Gateways);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, _news.Gateways);
    }

    private long Tell(long version, TimeSpan? due = null)
    {
        var at = _clock.GetTimestamp();
        _news.Tell(at, 4, version, due is { } wait ? _clock.GetUtcNow().UtcDateTime + wait : null);
        return at;
    }
}
