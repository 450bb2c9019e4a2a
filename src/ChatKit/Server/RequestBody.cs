using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ChatKit;

/// <summary>Reads request bodies of limited size, whatever the server in front enforces.</summary>
internal static class RequestBody
{
    private const int FirstBytes = 32 * 1024;

    /// <exception cref="RequestRefusedException">More than the limit (413).</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext http, int limit)
    {
        if (http.Request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } enforced)
        {
            enforced.MaxRequestBodySize = limit;
        }

        var buffer = new byte[FirstBytes];
        var length = 0;
        while (await http.Request.Body.ReadAsync(buffer.AsMemory(length), http.RequestAborted) is var read and > 0)
        {
            length += read;
            if (length > limit)
            {
                throw TooLarge(limit);
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }

        return buffer.AsMemory(0, length);
    }

    private static RequestRefusedException TooLarge(int limit) =>
        new(413, "request_too_large", string.Create(CultureInfo.InvariantCulture, $"The body may have at most {limit} bytes."));
}
