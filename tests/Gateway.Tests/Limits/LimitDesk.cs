using Gateway.Data;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Tests.Support;
using Gateway.Usage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>
/// The limiter of one gateway over a real database, without the rest of a gateway: several on one database are several
/// gateways, and their clock is the test's.
/// </summary>
internal sealed class LimitDesk : IAsyncDisposable
{
    private readonly LeasePump _pump;

    private LimitDesk(string connectionString, TimeProvider clock)
    {
        Database = NpgsqlDataSource.Create(connectionString);
        Store = new LeaseStore(connectionString);
        News = new DatabaseNews(clock);
        _pump = new LeasePump(Store, News, clock, NullLogger<LeasePump>.Instance);
        Limiter = new Limiter(_pump, Workspaces, clock);
    }

    public NpgsqlDataSource Database { get; }

    public LeaseStore Store { get; }

    public DatabaseNews News { get; }

    public WorkspaceLimits Workspaces { get; } = new();

    public Limiter Limiter { get; }

    /// <summary>A migrated database.</summary>
    public static async Task<string> MakeDatabaseAsync(TestPostgres postgres, CancellationToken cancel)
    {
        var connectionString = await postgres.CreateDatabaseAsync(cancel: cancel);
        await using var seed = await Seed.OpenAsync(connectionString, cancel);
        return connectionString;
    }

    public static async Task<LimitDesk> OpenAsync(string connectionString, TimeProvider clock, CancellationToken cancel)
    {
        var desk = new LimitDesk(connectionString, clock);
        await desk._pump.StartAsync(cancel);
        return desk;
    }

    public static Caller Caller(LimitValues? limits, Guid? workspace = null) => new(
        workspace ?? Guid.NewGuid(), "acme", Guid.NewGuid(), "web", Scopes.Chat, [], null, IsRevoked: false)
    {
        Limits = limits,
    };

    /// <summary>Begins a request; what it may not have is told by the error.</summary>
    public async Task<(RequestLimits? Limits, ApiError? Error)> ReserveAsync(
        Caller caller, CancellationToken cancel, Need need = default, (string, LimitValues)? bot = null)
    {
        var limits = Limiter.Begin(caller) ?? (bot is null ? null : new RequestLimits());
        return limits is null ? (null, null) : (limits, await ReserveAsync(limits, caller, need, bot, cancel));
    }

    /// <summary>One step. On a busy machine the database may take longer than a request waits: then again, as clients do.</summary>
    public async Task<ApiError?> ReserveAsync(
        RequestLimits limits, Caller caller, Need need, (string, LimitValues)? bot, CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            var error = await Limiter.ReserveAsync(limits, caller, need, bot, cancel);
            if (error?.Code != "limits_unavailable" || tries == 40)
            {
                return error;
            }

            await Task.Delay(50, cancel);
        }
    }

    /// <summary>Begins a request and ends it with a use; answers whether it was let through.</summary>
    public async Task<ApiError?> UseAsync(
        Caller caller, CancellationToken cancel, Need need = default, long tokens = 0, decimal? usd = 0)
    {
        var (limits, error) = await ReserveAsync(caller, cancel, need);
        limits?.Settle(error is null ? tokens : 0, error is null ? usd : 0);
        return error;
    }

    /// <summary>Ends as a killed process does: nothing more is told.</summary>
    public async Task DieAsync()
    {
        _pump.Dispose();
        await Database.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _pump.StopAsync(CancellationToken.None);
        _pump.Dispose();
        await Database.DisposeAsync();
    }

    /// <summary>Reads the limits of workspaces as a gateway does when it is notified.</summary>
    public async Task ReadWorkspacesAsync(string connectionString, CancellationToken cancel)
    {
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        await Workspaces.ReadAsync(db, 0, cancel);
    }
}

/// <summary>Goes as fast as the real one, from a moment that the test chooses, and may be put forward.</summary>
internal sealed class ShiftedClock(DateTimeOffset start) : TimeProvider
{
    private readonly long _began = System.GetTimestamp();
    private long _shift;

    /// <summary>Ten seconds into a minute, in the middle of a day and a month.</summary>
    public static ShiftedClock InMidMinute() => new(new DateTimeOffset(2026, 11, 21, 12, 0, 10, TimeSpan.Zero));

    public void Advance(TimeSpan time) => Interlocked.Add(ref _shift, time.Ticks);

    public override DateTimeOffset GetUtcNow() =>
        start + System.GetElapsedTime(_began) + TimeSpan.FromTicks(Interlocked.Read(ref _shift));

    public override long GetTimestamp() =>
        System.GetTimestamp() + (long)(TimeSpan.FromTicks(Interlocked.Read(ref _shift)).TotalSeconds * TimestampFrequency);
}
