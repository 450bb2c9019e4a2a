using System.Collections.Concurrent;

namespace Gateway.Simulator;

/// <summary>Counts the requests of each key, for trouble that comes a number of times.</summary>
internal sealed class TroubleLog
{
    private const int MaxKeys = 10_000;

    private readonly ConcurrentDictionary<string, int> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether this request meets its trouble. Each call counts as one request.</summary>
    public bool IsDue(Trouble trouble, string key)
    {
        if (trouble.Times is null && trouble.SparedFirst == 0)
        {
            return true;
        }

        // Whoever invents keys without end must not fill the memory; starting over only repeats the trouble.
        if (_seen.Count >= MaxKeys)
        {
            _seen.Clear();
        }

        var count = _seen.AddOrUpdate(trouble.Id ?? key, 1, (_, seen) => seen + 1);
        return count > trouble.SparedFirst && (trouble.Times is null || count - trouble.SparedFirst <= trouble.Times);
    }
}
