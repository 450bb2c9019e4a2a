using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Http;

/// <summary>
/// Writes a body member by member and notes where each stands, so that nobody has to read it to find them. What is written as a
/// value must be one JSON value in UTF-8; commas and names are this writer's business.
/// </summary>
/// <param name="capacity">About how long it gets, in bytes.</param>
internal sealed class JsonBodyWriter(int capacity) : IBufferWriter<byte>
{
    /// <summary>What stands in a JSON string as it is.</summary>
    private static readonly SearchValues<byte> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c).Where(c => c is not ((byte)'"' or (byte)'\\'))]);

    private readonly ArrayBufferWriter<byte> _bytes = new(capacity);
    private JsonMember[] _members = new JsonMember[12];
    private int _count;

    /// <summary>Begins a member, whose value is to be written next.</summary>
    /// <param name="name">UTF-8, unescaped.</param>
    public void Name(ReadOnlySpan<byte> name)
    {
        EndMember();
        Write(_count == 0 ? "{"u8 : ","u8);
        var start = _bytes.WrittenCount;
        var isPlain = !name.ContainsAnyExcept(Plain);
        Write("\""u8);
        Write(isPlain ? name : JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        Write("\""u8);
        var end = _bytes.WrittenCount;
        Write(":"u8);
        if (_count == _members.Length)
        {
            Array.Resize(ref _members, _count * 2);
        }

        _members[_count++] = new JsonMember(start, end, _bytes.WrittenCount, 0, default, isPlain ? null : name.ToArray());
    }

    public void Write(ReadOnlySpan<byte> json) => _bytes.Write(json);

    public void Advance(int count) => _bytes.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => _bytes.GetSpan(sizeHint);

    /// <summary>The body, when at least one member is written. Nothing may be written any more.</summary>
    /// <exception cref="InvalidOperationException">A member stands in it twice.</exception>
    public JsonBody ToBody()
    {
        EndMember();
        var end = _bytes.WrittenCount;
        Write("}"u8);
        return new JsonBody(_bytes.WrittenMemory, _members, _count, end);
    }

    private void EndMember()
    {
        if (_count > 0)
        {
            ref var member = ref _members[_count - 1];
            member = member with { ValueEnd = _bytes.WrittenCount, Kind = KindOf(_bytes.WrittenSpan[member.ValueStart]) };
        }
    }

    private static JsonTokenType KindOf(byte first) => first switch
    {
        (byte)'{' => JsonTokenType.StartObject,
        (byte)'[' => JsonTokenType.StartArray,
        (byte)'"' => JsonTokenType.String,
        (byte)'t' => JsonTokenType.True,
        (byte)'f' => JsonTokenType.False,
        (byte)'n' => JsonTokenType.Null,
        _ => JsonTokenType.Number,
    };
}
