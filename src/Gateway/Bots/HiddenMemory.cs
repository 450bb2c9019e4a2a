namespace Gateway.Bots;

/// <summary>
/// Hidden steps of a gateway whose database does not answer: so many calls and bytes at the most, beyond which the oldest are
/// let go, and none for longer than a database would keep it. Safe for concurrent use.
/// </summary>
/// <param name="mostBytes">Of all steps together; a turn that read a few pages is some tens of kilobytes.</param>
internal sealed class HiddenMemory(TimeSpan kept, TimeProvider clock, int mostCalls = 4_096, long mostBytes = 64 * 1024 * 1024)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Workspace, string Bot, string CallId), (HiddenCall Call, long At)> _calls = [];
    private readonly Queue<(Guid Workspace, string Bot, string CallId)> _order = new();
    private long _bytes;

    /// <summary>Keeps a call, whose id is new: each is kept once.</summary>
    public void Keep((Guid Workspace, string Bot, string CallId) key, HiddenCall call)
    {
        lock (_lock)
        {
            _calls.Add(key, (call, clock.GetTimestamp()));
            _order.Enqueue(key);
            _bytes += call.Steps?.Length ?? 0;
            while (_order.Count > mostCalls || _bytes > mostBytes || IsOld(_order.Peek()))
            {
                _calls.Remove(_order.Dequeue(), out var oldest);
                _bytes -= oldest.Call.Steps?.Length ?? 0;
                if (_order.Count == 0)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Null when it is not kept, or not any more.</summary>
    public HiddenCall? Find((Guid Workspace, string Bot, string CallId) key)
    {
        lock (_lock)
        {
            return _calls.TryGetValue(key, out var found) && !IsOld(key) ? found.Call : null;
        }
    }

    private bool IsOld((Guid Workspace, string Bot, string CallId) key) => clock.GetElapsedTime(_calls[key].At) > kept;
}
