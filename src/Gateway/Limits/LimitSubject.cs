using System.Globalization;
using Gateway.Data;

namespace Gateway.Limits;

/// <summary>Whose limits: a key, a bot or a workspace.</summary>
/// <param name="Id">The key's or bot's id; empty for the workspace itself.</param>
internal readonly record struct LimitOwner(Guid Workspace, LimitScope Scope, string Id);

/// <summary>
/// What this gateway has of one owner's limits: the current minute, day or month of each, and the places. One object for
/// as long as the process lives: what it has spent of a month is told from here.
/// </summary>
internal sealed class LimitSubject(LimitOwner owner, LeasePump pump, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly LimitWindow?[] _windows = new LimitWindow?[Enum.GetValues<LimitMeter>().Length];

    public LimitOwner Owner { get; } = owner;

    public Places Places { get; } = new(clock);

    /// <summary>The window that is now.</summary>
    /// <param name="most">The limit as configured now. A changed one resets nothing.</param>
    public LimitWindow Window(LimitMeter meter, long most)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var window = Volatile.Read(ref _windows[(int)meter]);
        if (window is null || now >= window.Id.EndsAt)
        {
            window = Begin(meter, now);
        }

        window.Most = most;
        return window;
    }

    private LimitWindow Begin(LimitMeter meter, DateTime now)
    {
        lock (_lock)
        {
            var window = _windows[(int)meter];
            if (window is null || now >= window.Id.EndsAt)
            {
                var (start, end) = Bounds(meter, now);
                window = new LimitWindow(
                    new LimitWindowId(Owner, meter, start, end), pump, clock, window?.Rate ?? default);
                Volatile.Write(ref _windows[(int)meter], window);
            }

            return window;
        }
    }

    private static (DateTime Start, DateTime End) Bounds(LimitMeter meter, DateTime now)
    {
        var day = now.Date;
        switch (meter)
        {
            case LimitMeter.Requests or LimitMeter.Tokens:
                var minute = day.AddMinutes((int)now.TimeOfDay.TotalMinutes);
                return (minute, minute.AddMinutes(1));
            case LimitMeter.UsdPerDay or LimitMeter.TokensPerDay:
                return (day, day.AddDays(1));
            default:
                var month = day.AddDays(1 - day.Day);
                return (month, month.AddMonths(1));
        }
    }
}

/// <summary>One limit in one minute, day or month of UTC.</summary>
internal sealed record LimitWindowId(LimitOwner Owner, LimitMeter Meter, DateTime StartsAt, DateTime EndsAt)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Owner.Scope} {Owner.Id} {Meter} {StartsAt:O}");
}
