using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Http;

/// <summary>The one file of a multipart form, in a part named <c>file</c>, in memory.</summary>
/// <param name="ContentType">As its sender says; empty: it does not.</param>
internal sealed record UploadedFile(string Name, string ContentType, byte[] Content)
{
    private const int LongestBoundary = 200;

    public static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a form's file.</summary>
    /// <param name="most">Largest body, in bytes.</param>
    /// <param name="check">Why a file of this name and type is refused, before it is read; null: it is not.</param>
    /// <returns>Either the file, or why it is refused. A file is never empty.</returns>
    public static async Task<(UploadedFile? File, ApiError? Refused)> ReadAsync(
        HttpContext http, long most, Func<string, string, ApiError?> check, CancellationToken cancel)
    {
        var request = http.Request;
        if (!IsForm(request))
        {
            return (null, ApiError.UnsupportedMediaType(request.ContentType, "multipart/form-data"));
        }

        if (request.ContentLength > most)
        {
            return (null, RequestBody.TooLarge(http, most));
        }

        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary).Value;
        if (boundary is not { Length: > 0 and <= LongestBoundary })
        {
            return (null, ApiError.InvalidForm("the Content-Type names no boundary, or one that is too long."));
        }

        try
        {
            return await ReadPartAsync(http, new MultipartReader(boundary, request.Body), most, check, cancel);
        }
        catch (Exception broken) when (broken is InvalidDataException || (broken is IOException && broken is not BadHttpRequestException && !cancel.IsCancellationRequested))
        {
            return (null, ApiError.InvalidForm("its parts cannot be told apart, or it ends too early."));
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <returns>Null: it has more bytes than may be.</returns>
    public static async Task<byte[]?> ReadAllAsync(Stream body, long most, CancellationToken cancel)
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, cancel) is var read && read > 0)
        {
            if (content.Length + read > most)
            {
                return null;
            }

            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    private static async Task<(UploadedFile?, ApiError?)> ReadPartAsync(
        HttpContext http, MultipartReader form, long most, Func<string, string, ApiError?> check, CancellationToken cancel)
    {
        while (await form.ReadNextSectionAsync(cancel) is { } part)
        {
            if (part.GetContentDispositionHeader() is not { } disposition
                || HeaderUtilities.RemoveQuotes(disposition.Name).Value != "file" || !disposition.IsFileDisposition())
            {
                continue;
            }

            var name = (disposition.FileNameStar.Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value ?? "").Trim();
            var type = part.ContentType ?? "";
            if (check(name, type) is { } refused)
            {
                return (null, refused);
            }

            return await ReadAllAsync(part.Body, most, cancel) switch
            {
                null => (null, RequestBody.TooLarge(http, most)),
                { Length: 0 } => (null, ApiError.InvalidValue("file", "it is empty.")),
                var content => (new UploadedFile(name, type, content), null),
            };
        }

        return (null, ApiError.MissingParameter("file"));
    }
}
