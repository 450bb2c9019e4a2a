using Gateway.Data;

namespace Gateway.Observability;

/// <summary>
/// Whether the database answers, as far as is known without waiting for it. Who asks causes a look behind its back: at most
/// one a second, one at a time, and none while the configuration was read a few seconds ago anyway.
/// </summary>
internal sealed class DatabaseHealth : IDisposable
{
    private static readonly TimeSpan ShortestGap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OldestTrusted = TimeSpan.FromSeconds(4);

    /// <summary>A look without an answer for so long is one; a slow database is not called a lost one.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(10);

    private readonly ConfigFeed _feed;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly IDisposable _up;
    private readonly IDisposable _age;
    private Task _look = Task.CompletedTask;
    private long? _lookedAt;

    public DatabaseHealth(ConfigFeed feed, TimeProvider clock)
    {
        _feed = feed;
        _clock = clock;
        _up = GatewayMetrics.DatabaseUp.Register(() => IsUp() ? 1 : 0);
        _age = GatewayMetrics.ConfigAge.Register(() => ConfigAge.TotalSeconds);
    }

    /// <summary>How long ago the configuration was read, or known to be unchanged.</summary>
    public TimeSpan ConfigAge => _feed.Age;

    public bool IsUp()
    {
        lock (_gate)
        {
            var sinceLook = _lookedAt is { } at ? _clock.GetElapsedTime(at) : TimeSpan.MaxValue;
            if (_look.IsCompleted && sinceLook >= ShortestGap && (_feed.IsDegraded || _feed.Age >= OldestTrusted))
            {
                _lookedAt = _clock.GetTimestamp();
                sinceLook = TimeSpan.Zero;
                _look = LookAsync();
            }

            return !_feed.IsDegraded && (_look.IsCompleted || sinceLook < LongestLook);
        }
    }

    public void Dispose()
    {
        _up.Dispose();
        _age.Dispose();
    }

    private async Task LookAsync()
    {
        try
        {
            await _feed.CatchUpAsync(CancellationToken.None);
        }
        catch (Exception)
        {
            // The feed has said so in the log, and knows itself that it is degraded.
        }
    }
}
