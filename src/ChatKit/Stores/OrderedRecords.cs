namespace ChatKit;

/// <summary>Records by id, in the order of their time and, where that is equal, of their arrival. Not safe for concurrent use.</summary>
internal sealed class OrderedRecords<TRecord>
    where TRecord : class
{
    private readonly Dictionary<string, (Position At, TRecord Record)> _byId = new(StringComparer.Ordinal);
    private readonly SortedList<Position, string> _order = [];
    private long _arrived;

    public TRecord? Find(string id) => _byId.TryGetValue(id, out var found) ? found.Record : null;

    /// <summary>Inserts or replaces; what is replaced keeps its place.</summary>
    /// <param name="make">From the old record, null when there is none, and the JSON of the new one.</param>
    public TRecord Set<T>(string id, DateTimeOffset time, Func<TRecord?, byte[], TRecord> make, T value)
        where T : notnull
    {
        var found = _byId.TryGetValue(id, out var old);
        var record = make(old.Record, ChatKitJson.ToStore(value));
        var position = found ? old.At : new Position(time, ++_arrived);
        _order[position] = id;
        _byId[id] = (position, record);
        return record;
    }

    public bool Remove(string id) => _byId.Remove(id, out var old) && _order.Remove(old.At);

    public Page<T> Page<T>(int limit, string? after, SortOrder order, Func<string, Exception> unknown, Func<TRecord, T> read)
    {
        var step = order == SortOrder.Asc ? 1 : -1;
        var index = order == SortOrder.Asc ? 0 : _order.Count - 1;
        if (after is not null)
        {
            index = _byId.TryGetValue(after, out var seen) ? _order.IndexOfKey(seen.At) + step : throw unknown(after);
        }

        var data = new List<T>();
        var last = string.Empty;
        for (; data.Count < limit && index >= 0 && index < _order.Count; index += step)
        {
            last = _order.Values[index];
            data.Add(read(_byId[last].Record));
        }

        var hasMore = index >= 0 && index < _order.Count;
        return new Page<T> { Data = data, HasMore = hasMore, After = hasMore ? last : null };
    }

    private readonly record struct Position(DateTimeOffset Time, long Arrival) : IComparable<Position>
    {
        public int CompareTo(Position other) =>
            Time != other.Time ? Time.CompareTo(other.Time) : Arrival.CompareTo(other.Arrival);
    }
}
