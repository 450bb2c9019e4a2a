using Gateway.Bots.Datasets.Parsing;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>Reads the upload of a file.</summary>
internal static class DatasetFileForm
{
    private const int LongestName = 400;

    /// <summary>The one file of a form, in a part named <c>file</c>.</summary>
    public static async Task<(string? Name, byte[]? Content, ApiError? Refused)> ReadAsync(HttpContext http, BodyLimits limits, CancellationToken cancel)
    {
        var (file, refused) = await UploadedFile.ReadAsync(http, limits.MaxUploadBytes, (name, _) => Check(name), cancel);
        return (file?.Name, file?.Content, refused);
    }

    private static ApiError? Check(string name) =>
        name.Length is 0 or > LongestName || name.Any(c => char.IsControl(c) || char.IsSurrogate(c)) || !FileParser.IsKnown(name)
            ? ApiError.InvalidValue(
                "file", $"expected a file name of at most {LongestName} characters that ends in one of: {string.Join(", ", FileParser.Formats.Select(f => "." + f))}.")
            : null;
}
