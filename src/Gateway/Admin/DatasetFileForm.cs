using Gateway.Bots.Datasets.Parsing;
using Gateway.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Admin;

/// <summary>Reads the upload of a file.</summary>
internal static class DatasetFileForm
{
    private const int LongestName = 400;
    private const int LongestBoundary = 200;

    /// <summary>The one file of a form, in a part named <c>file</c>.</summary>
    public static async Task<(string? Name, byte[]? Content, ApiError? Refused)> ReadAsync(HttpContext http, BodyLimits limits, CancellationToken cancel)
    {
        var request = http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return (null, null, ApiError.UnsupportedMediaType(request.ContentType, "multipart/form-data"));
        }

        if (request.ContentLength > limits.MaxUploadBytes)
        {
            return (null, null, RequestBody.TooLarge(http, limits.MaxUploadBytes));
        }

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (boundary is not { Length: > 0 and <= LongestBoundary })
        {
            return (null, null, ApiError.InvalidForm("the Content-Type names no boundary, or one that is too long."));
        }

        try
        {
            return await ReadPartAsync(http, new MultipartReader(boundary, request.Body), limits.MaxUploadBytes, cancel);
        }
        catch (Exception broken) when (broken is InvalidDataException || (broken is IOException && broken is not BadHttpRequestException && !cancel.IsCancellationRequested))
        {
            return (null, null, ApiError.InvalidForm("its parts cannot be told apart, or it ends too early."));
        }
    }

    private static async Task<(string? Name, byte[]? Content, ApiError? Refused)> ReadPartAsync(
        HttpContext http, MultipartReader form, long most, CancellationToken cancel)
    {
        while (await form.ReadNextSectionAsync(cancel) is { } part)
        {
            if (part.GetContentDispositionHeader() is not { } disposition || HeaderUtilities.RemoveQuotes(disposition.Name).Value != "file" || !disposition.IsFileDisposition())
            {
                continue;
            }

            var name = (disposition.FileNameStar.Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value ?? "").Trim();
            if (name.Length is 0 or > LongestName || name.Any(c => char.IsControl(c) || char.IsSurrogate(c)) || !FileParser.IsKnown(name))
            {
                return (null, null, ApiError.InvalidValue(
                    "file", $"expected a file name of at most {LongestName} characters that ends in one of: {string.Join(", ", FileParser.Formats.Select(f => "." + f))}."));
            }

            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await part.Body.ReadAsync(buffer, cancel) is var read && read > 0)
            {
                if (content.Length + read > most)
                {
                    return (null, null, RequestBody.TooLarge(http, most));
                }

                content.Write(buffer, 0, read);
            }

            return content.Length == 0 ? (null, null, ApiError.InvalidValue("file", "it is empty.")) : (name, content.ToArray(), null);
        }

        return (null, null, ApiError.MissingParameter("file"));
    }
}
