using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Gateway.Http;

/// <summary>One member of the body's outermost object, as positions in the bytes that the caller sent.</summary>
/// <param name="NameStart">Where the name's opening quote stands.</param>
/// <param name="NameEnd">Behind the name's closing quote.</param>
/// <param name="UnescapedName">The name's bytes when it was written with escapes, else null.</param>
internal readonly record struct JsonMember(
    int NameStart, int NameEnd, int ValueStart, int ValueEnd, JsonTokenType Kind, byte[]? UnescapedName);

/// <summary>Looks at a member's value while the body is read; must leave the reader at the value's end.</summary>
internal delegate ApiError? MemberInspector(ReadOnlySpan<byte> name, ref Utf8JsonReader value);

/// <summary>
/// A JSON object that a caller sent, checked in one pass (UTF-8, syntax, depth, no member twice) and indexed by its
/// outermost members, so that it can travel on byte for byte but for what must change.
/// </summary>
internal sealed class JsonBody
{
    /// <summary>Deepest nesting accepted.</summary>
    public const int MaxDepth = 64;

    private const int FewMembers = 32;

    private JsonMember[] _members;
    private int _count;

    private JsonBody(ReadOnlyMemory<byte> bytes) => (Bytes, _members) = (bytes, new JsonMember[8]);

    /// <summary>One whose members are known; <see cref="JsonBodyWriter"/> knows them.</summary>
    /// <param name="count">How many of <paramref name="members"/> there are, in the order of their positions.</param>
    /// <param name="end">Where the closing brace stands.</param>
    /// <exception cref="InvalidOperationException">A member stands in it twice.</exception>
    public JsonBody(ReadOnlyMemory<byte> bytes, JsonMember[] members, int count, int end)
    {
        (Bytes, _members, _count, End) = (bytes, members, count, end);
        if (Duplicate() is { } twice)
        {
            throw new InvalidOperationException($"The member '{twice}' stands twice in a body.");
        }
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    public ReadOnlySpan<JsonMember> Members => _members.AsSpan(0, _count);

    /// <summary>Where the outermost object's closing brace stands.</summary>
    public int End { get; private set; }

    /// <summary>Indexes the bytes, which must stay as they are while the result is used.</summary>
    /// <param name="inspect">Is shown each member's value; null: none.</param>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, MemberInspector? inspect, out JsonBody body, out ApiError? error)
    {
        body = new JsonBody(bytes);
        if (!Utf8.IsValid(bytes.Span))
        {
            error = ApiError.InvalidJson("it is not valid UTF-8.");
            return false;
        }

        try
        {
            error = body.Index(inspect);
            return error is null;
        }
        catch (JsonException wrong)
        {
            error = ApiError.InvalidJson(wrong.Message);
            return false;
        }
        catch (InvalidOperationException)
        {
            // What the reader says of an escaped half of a surrogate pair.
            error = ApiError.InvalidJson("a string holds half of a surrogate pair.");
            return false;
        }
    }

    public ReadOnlySpan<byte> Name(in JsonMember member) =>
        member.UnescapedName ?? Bytes.Span[(member.NameStart + 1)..(member.NameEnd - 1)];

    public ReadOnlyMemory<byte> Value(in JsonMember member) => Bytes[member.ValueStart..member.ValueEnd];

    /// <summary>The member's position in <see cref="Members"/>, or -1.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _count; i++)
        {
            if (Name(_members[i]).SequenceEqual(name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The member's value when it is there and not null.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out JsonMember member)
    {
        var i = Find(name);
        member = i < 0 ? default : _members[i];
        return i >= 0 && member.Kind != JsonTokenType.Null;
    }

    /// <summary>A string value with its escapes resolved; null when it holds half of a surrogate pair.</summary>
    public string? Text(in JsonMember member)
    {
        var reader = new Utf8JsonReader(Value(member).Span);
        reader.Read();
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>What a JSON value is called in messages.</summary>
    public static string KindName(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        _ => "null",
    };

    private ApiError? Index(MemberInspector? inspect)
    {
        var reader = new Utf8JsonReader(Bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return ApiError.InvalidJson("it must be a JSON object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var nameStart = (int)reader.TokenStartIndex;
            var nameEnd = nameStart + reader.ValueSpan.Length + 2;
            var unescaped = reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : null;
            var name = unescaped ?? reader.ValueSpan;

            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            if (inspect is not null && inspect(name, ref reader) is { } error)
            {
                return error;
            }

            reader.Skip();
            Add(new JsonMember(nameStart, nameEnd, start, (int)reader.BytesConsumed, kind, unescaped));
        }

        End = (int)reader.TokenStartIndex;
        reader.Read();
        return Duplicate() is { } twice ? ApiError.DuplicateMember(twice) : null;
    }

    private void Add(in JsonMember member)
    {
        if (_count == _members.Length)
        {
            Array.Resize(ref _members, _count * 2);
        }

        _members[_count++] = member;
    }

    /// <summary>The first name that stands twice. Readers differ in which of the two they take, so neither is right.</summary>
    private string? Duplicate()
    {
        if (_count > FewMembers)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in Members)
            {
                var name = Encoding.UTF8.GetString(Name(member));
                if (!seen.Add(name))
                {
                    return name;
                }
            }

            return null;
        }

        for (var i = 1; i < _count; i++)
        {
            var name = Name(_members[i]);
            for (var j = 0; j < i; j++)
            {
                if (Name(_members[j]).SequenceEqual(name))
                {
                    return Encoding.UTF8.GetString(name);
                }
            }
        }

        return null;
    }
}
