namespace Gateway.Benchmarks.Load;

/// <summary>Whether the numbered chunks of one stream all came, once each and in order: 0, 1, 2 …</summary>
internal sealed class ChunkOrder
{
    private readonly HashSet<int> _missing = [];
    private int _next;

    /// <summary>Chunks that came, doubled ones apart.</summary>
    public int Seen => _next - _missing.Count;

    /// <summary>Numbers passed over and not seen since.</summary>
    public int Lost => _missing.Count;

    public int Doubled { get; private set; }

    /// <summary>Chunks that came after one with a higher number.</summary>
    public int Reordered { get; private set; }

    public void Reset()
    {
        _missing.Clear();
        (_next, Doubled, Reordered) = (0, 0, 0);
    }

    public void Saw(int number)
    {
        if (number == _next)
        {
            _next++;
            return;
        }

        if (number > _next)
        {
            PassOver(number);
            _next++;
        }
        else if (_missing.Remove(number))
        {
            Reordered++;
        }
        else
        {
            Doubled++;
        }
    }

    /// <summary>The stream is over, and should have had this many.</summary>
    public void End(int chunks) => PassOver(chunks);

    private void PassOver(int until)
    {
        for (; _next < until; _next++)
        {
            _missing.Add(_next);
        }
    }
}
