using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Http;

/// <summary>How large bodies may be, in bytes, by the operator's settings.</summary>
internal sealed record BodyLimits(int MaxRequestBytes, long MaxUploadBytes);

/// <summary>A whole request body in a pooled buffer. Disposed once, when nothing reads it any more.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int FirstBytes = 16 * 1024;

    /// <summary>Most that is held for a body before its bytes have come: announcing many costs a caller nothing.</summary>
    private const int MostAnnounced = 64 * 1024;

    /// <summary>
    /// How much larger the next buffer is of a body that said its length: all of it once an eighth has come, so that little is
    /// copied. One that did not say it doubles.
    /// </summary>
    private const int AnnouncedGrowth = 8;

    private byte[]? _buffer;
    private readonly int _length;

    private RequestBody(byte[] buffer, int length) => (_buffer, _length) = (buffer, length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Reads a JSON body, however it is sent.</summary>
    /// <returns>Either the body, or why it is refused.</returns>
    /// <exception cref="BadHttpRequestException">The body came too slowly, or broke HTTP's rules.</exception>
    /// <exception cref="ConnectionResetException">The caller left.</exception>
    public static async ValueTask<(RequestBody? Body, ApiError? Error)> ReadJsonAsync(
        HttpContext http, BodyLimits limits, CancellationToken cancel)
    {
        var request = http.Request;
        if (request.Headers.ContentEncoding is [{ Length: > 0 } encoding] && encoding != "identity")
        {
            return (null, ApiError.UnsupportedEncoding(encoding));
        }

        if (request.ContentType is { Length: > 0 } type && !IsJson(type))
        {
            return (null, ApiError.UnsupportedMediaType(type, "application/json"));
        }

        var limit = limits.MaxRequestBytes;
        if (request.ContentLength > limit)
        {
            return (null, TooLarge(http, limit));
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(request.ContentLength ?? FirstBytes, MostAnnounced) + 1);
        var length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Length)
                {
                    buffer = request.ContentLength is { } announced
                        ? Grow(buffer, AnnouncedGrowth, (int)announced + 1)
                        : Grow(buffer, 2, limit + 1);
                }

                var read = await ReadSomeAsync(request, buffer.AsMemory(length), cancel);
                length += read;
                if (length > limit)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return (null, TooLarge(http, limit));
                }

                if (read == 0 || length == request.ContentLength)
                {
                    break;
                }
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }

        if (length == 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return (null, ApiError.EmptyBody());
        }

        return (new RequestBody(buffer, length), null);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Refuses, and closes afterwards: the rest of the body is not worth reading.</summary>
    public static ApiError TooLarge(HttpContext http, long limit)
    {
        http.Response.Headers.Connection = "close";
        return ApiError.BodyTooLarge(limit);
    }

    /// <summary>Some more of a body; 0 at its end. A caller who left is told apart from trouble of our own.</summary>
    /// <exception cref="BadHttpRequestException">The body came too slowly, or broke HTTP's rules.</exception>
    /// <exception cref="ConnectionResetException">The caller left.</exception>
    public static async ValueTask<int> ReadSomeAsync(HttpRequest request, Memory<byte> buffer, CancellationToken cancel)
    {
        try
        {
            return await request.Body.ReadAsync(buffer, cancel);
        }
        catch (IOException lost) when (lost is not (BadHttpRequestException or ConnectionResetException))
        {
            throw new ConnectionResetException(lost.Message, lost);
        }
    }

    /// <param name="buffer">Full; goes back to the pool.</param>
    /// <param name="most">All that the body can need.</param>
    private static byte[] Grow(byte[] buffer, int times, int most)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)buffer.Length * times, most));
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private static bool IsJson(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        var type = (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
                && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}
