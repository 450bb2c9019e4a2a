using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Gateway.Simulator;

/// <summary>The bytes of a request, in a pooled buffer. Whatever was parsed from them dies with it.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int StartBytes = 4096;

    private byte[] _bytes;
    private int _length;
    private JsonDocument? _document;

    private RequestBody(int sizeHint) => _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, StartBytes));

    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _length);

    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        // A claimed length is only a hint: it is not believed past a megabyte before the bytes are there.
        var body = new RequestBody((int)Math.Min(request.ContentLength ?? 0, 1_048_576));
        try
        {
            while (true)
            {
                var read = await request.BodyReader.ReadAsync(cancel);
                foreach (var segment in read.Buffer)
                {
                    body.Append(segment.Span);
                }

                request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return body;
                }
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>The body as a JSON object all of whose strings can be read.</summary>
    /// <exception cref="RefusalException">It is not one: 400.</exception>
    public JsonElement ParseObject()
    {
        if (_length == 0)
        {
            throw RefusalException.NotJson("It is empty.");
        }

        if (!Utf8.IsValid(Bytes.Span))
        {
            throw RefusalException.NotJson("It is not valid UTF-8.");
        }

        try
        {
            RefuseLoneSurrogates();
            _document = JsonDocument.Parse(Bytes);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw RefusalException.NotJson(e.Message);
        }

        return _document.RootElement.ValueKind == JsonValueKind.Object
            ? _document.RootElement
            : throw RefusalException.NotJson("It is not an object.");
    }

    public void Dispose()
    {
        _document?.Dispose();
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _length = 0;
    }

    /// <summary>
    /// An escape such as "\ud800" without its partner parses, and throws only when read. So each is read once, here.
    /// </summary>
    private void RefuseLoneSurrogates()
    {
        if (Bytes.Span.IndexOf("\\u"u8) < 0)
        {
            return;
        }

        var reader = new Utf8JsonReader(Bytes.Span);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                _ = reader.GetString();
            }
        }
    }

    private void Append(ReadOnlySpan<byte> more)
    {
        if (_length + more.Length > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + more.Length, 2 * _bytes.Length));
            Bytes.Span.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        more.CopyTo(_bytes.AsSpan(_length));
        _length += more.Length;
    }
}
