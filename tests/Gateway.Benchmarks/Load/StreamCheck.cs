using System.Buffers.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>Reads the events of one streamed reply as they arrive: which chunks came, and how it ended.</summary>
internal sealed class StreamCheck
{
    public ChunkOrder Order { get; } = new();

    public bool IsFinished { get; private set; }

    /// <summary>Whether <c>[DONE]</c> came.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whether an event said that the stream failed.</summary>
    public bool HasFailed { get; private set; }

    public void Reset()
    {
        Order.Reset();
        (IsFinished, IsDone, HasFailed) = (false, false, false);
    }

    /// <summary>Reads the events that are there in full.</summary>
    /// <param name="chunks">How many of them were chunks with a number.</param>
    /// <returns>How many bytes they are; what follows is the begin of another event.</returns>
    public int Read(ReadOnlySpan<byte> bytes, out int chunks)
    {
        chunks = 0;
        var start = 0;
        while (bytes[start..].IndexOf("\n\n"u8) is >= 0 and var length)
        {
            chunks += ReadEvent(bytes.Slice(start, length)) ? 1 : 0;
            start += length + 2;
        }

        return start;
    }

    private bool ReadEvent(ReadOnlySpan<byte> text)
    {
        var mark = "\"content\":\" w"u8;
        if (text.IndexOf(mark) is >= 0 and var at && Utf8Parser.TryParse(text[(at + mark.Length)..], out int number, out _))
        {
            Order.Saw(number);
            return true;
        }

        IsFinished |= text.IndexOf("\"finish_reason\":\"stop\""u8) >= 0;
        IsDone |= text.SequenceEqual("data: [DONE]"u8);
        HasFailed |= text.StartsWith("data: {\"error\""u8);
        return false;
    }
}
