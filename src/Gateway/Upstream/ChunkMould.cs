using System.Buffers;

namespace Gateway.Upstream;

/// <summary>
/// The chunks of one stream differ, mostly, in one text alone. What stands around that text is remembered, so that the
/// next chunk need only be compared with it: one that fits, to the byte, says what the one before said, with another text.
/// Whatever does not fit is read in full.
/// </summary>
internal sealed class ChunkMould
{
    /// <summary>Streams with something random in every chunk never fit; after some tries they are left alone.</summary>
    private const int MostTries = 8;

    /// <summary>What ends a JSON string, or makes it one to be read with care.</summary>
    private static readonly SearchValues<byte> NotPlain = SearchValues.Create(
        [(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(c => (byte)c)]);

    private byte[] _before = [];
    private byte[] _after = [];
    private int _tries;
    private int _texts;
    private int _start;
    private int _end;
    private bool _isContent;

    /// <summary>Whether the text of the remembered chunk is the answer's own, and not reasoning or the like.</summary>
    public bool IsContent { get; private set; }

    /// <summary>Whether the remembered chunk says a text of the answer and nothing else.</summary>
    public bool IsTextAlone { get; private set; }

    /// <summary>Of the remembered chunk, what stands behind its text, in bytes.</summary>
    public int LengthBehind => _after.Length;

    /// <summary>Whether a chunk is the remembered one with another text that is not empty.</summary>
    /// <param name="text">That text, in which nothing is escaped.</param>
    public bool Fits(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (_before.Length == 0 || !data.StartsWith(_before))
        {
            return false;
        }

        var rest = data[_before.Length..];
        var end = rest.IndexOfAny(NotPlain);
        if (end <= 0 || !rest[end..].SequenceEqual(_after))
        {
            return false;
        }

        text = rest[..end];
        return true;
    }

    /// <summary>A chunk is about to be read.</summary>
    public void Begin() => _texts = 0;

    /// <summary>A text was read that is not empty.</summary>
    /// <param name="start">Where its opening quote stands.</param>
    /// <param name="end">Behind its closing quote.</param>
    /// <param name="isContent">Whether it is the answer's own text.</param>
    public void Text(int start, int end, bool isContent) =>
        (_start, _end, _texts, _isContent) = (start, end, _texts + 1, isContent);

    /// <summary>
    /// Remembers the chunk that was read, if a text was all it said. The caller makes sure that it said nothing else: no
    /// ending, no usage.
    /// </summary>
    /// <param name="isAlone">Whether the text is the first choice's, without logprobs or calls beside it.</param>
    public void Take(ReadOnlySpan<byte> data, bool isAlone)
    {
        if (_texts != 1 || _tries == MostTries)
        {
            return;
        }

        _tries++;
        _before = data[..(_start + 1)].ToArray();
        _after = data[(_end - 1)..].ToArray();
        (IsContent, IsTextAlone) = (_isContent, _isContent && isAlone);
    }
}
