using System.Text;
using Gateway.Http;
using Microsoft.Net.Http.Headers;

namespace Gateway.Passthrough;

/// <summary>One part of a form, as offsets into the body.</summary>
/// <param name="Start">Where the delimiter before it begins; the next part's is behind its last byte.</param>
internal readonly record struct FormPart(string Name, bool IsFile, long Start, long ContentStart, long ContentEnd);

/// <summary>
/// Where the parts of a <c>multipart/form-data</c> body stand in it. Stricter than the RFC allows: what two readers could
/// understand differently is refused, or the upstream might find another <c>model</c> than the one that was checked here.
/// </summary>
internal sealed class MultipartForm
{
    /// <summary>Longest value of a part that is read into memory, in bytes.</summary>
    public const int MaxTextBytes = 4 * 1024;

    private const int MostParts = 1_000;
    private const int LongestBoundary = 128;
    private const int MaxHeaderBytes = 16 * 1024;
    private const int WindowBytes = 64 * 1024;

    private static readonly byte[] LineEnd = [.. "\r\n"u8];

    private readonly SpooledBody _body;
    private readonly byte[] _delimiter;
    private readonly byte[] _window = new byte[WindowBytes];
    private readonly List<FormPart> _parts = [];

    private MultipartForm(SpooledBody body, string boundary) =>
        (_body, _delimiter) = (body, Encoding.ASCII.GetBytes("--" + boundary));

    public IReadOnlyList<FormPart> Parts => _parts;

    /// <summary>Where the closing delimiter begins.</summary>
    public long End { get; private set; }

    public static bool IsForm(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);

    /// <summary>Finds the parts of a body.</summary>
    /// <returns>Either the form, or why it is refused.</returns>
    public static async Task<(MultipartForm? Form, ApiError? Error)> ReadAsync(
        SpooledBody body, string contentType, CancellationToken cancel)
    {
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(contentType).Boundary).Value;
        if (boundary is not { Length: > 0 and <= LongestBoundary } || !Ascii.IsValid(boundary))
        {
            return (null, ApiError.InvalidForm("the Content-Type names no boundary, or one that is too long."));
        }

        var form = new MultipartForm(body, boundary);
        var wrong = await form.ScanAsync(cancel);
        return wrong is null ? (form, null) : (null, ApiError.InvalidForm(wrong));
    }

    /// <summary>A part's value; null when it is longer than <see cref="MaxTextBytes"/> or no UTF-8.</summary>
    public async Task<string?> TextAsync(FormPart part, CancellationToken cancel)
    {
        var length = part.ContentEnd - part.ContentStart;
        if (length > MaxTextBytes)
        {
            return null;
        }

        var value = new byte[length];
        await _body.ReadAsync(part.ContentStart, value, cancel);
        return System.Text.Unicode.Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : null;
    }

    /// <summary>Goes from delimiter to delimiter.</summary>
    /// <returns>What is wrong; null when nothing is.</returns>
    private async Task<string?> ScanAsync(CancellationToken cancel)
    {
        var start = await FindAsync(0, cancel);
        if (start < 0)
        {
            return "its boundary does not occur in it.";
        }

        var before = new byte[LineEnd.Length];
        while (true)
        {
            if (start > 0 && (await _body.ReadAsync(Math.Max(0, start - before.Length), before, cancel) < 2 || !before.AsSpan().SequenceEqual(LineEnd)))
            {
                return "the boundary occurs inside a line.";
            }

            var behind = start + _delimiter.Length;
            var read = await _body.ReadAsync(behind, _window.AsMemory(0, MaxHeaderBytes), cancel);
            if (_window.AsSpan(0, read).StartsWith("--"u8))
            {
                End = start;
                return await FindAsync(behind, cancel) < 0 ? null : "it goes on behind its end.";
            }

            if (_parts.Count == MostParts)
            {
                return $"it has more than {MostParts} parts.";
            }

            if (ReadHeader(_window.AsSpan(0, read), out var name, out var isFile, out var headerBytes) is { } wrong)
            {
                return wrong;
            }

            var content = behind + headerBytes;
            var next = await FindAsync(content, cancel);
            if (next < content + LineEnd.Length)
            {
                return next < 0 ? "it ends in the middle of a part." : "a part lacks the line end behind its content.";
            }

            _parts.Add(new FormPart(name, isFile, start, content, next - LineEnd.Length));
            start = next;
        }
    }

    /// <summary>Reads a part's header, from behind its delimiter to the blank line.</summary>
    private static string? ReadHeader(ReadOnlySpan<byte> bytes, out string name, out bool isFile, out int length)
    {
        (name, isFile, length) = ("", false, 0);
        var first = bytes.IndexOfAnyExcept((byte)' ', (byte)'\t');
        if (first < 0 || !bytes[first..].StartsWith(LineEnd))
        {
            return "a boundary is not followed by a line end.";
        }

        var end = bytes[first..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return "a part's header is too long, or does not end.";
        }

        length = first + end + 4;
        if (end == 0)
        {
            return "a part has no Content-Disposition.";
        }

        ContentDispositionHeaderValue? disposition = null;
        foreach (var line in Encoding.UTF8.GetString(bytes.Slice(first + 2, end - 2)).Split("\r\n"))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || line[0] is ' ' or '\t' || line.AsSpan().ContainsAny('\r', '\n', '\0'))
            {
                return "a part's header is malformed.";
            }

            if (!line.AsSpan(0, colon).TrimEnd().Equals("content-disposition", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (disposition is not null || !ContentDispositionHeaderValue.TryParse(line[(colon + 1)..].Trim(), out disposition))
            {
                return "a part's Content-Disposition is malformed.";
            }
        }

        return ReadName(disposition, out name, out isFile);
    }

    private static string? ReadName(ContentDispositionHeaderValue? disposition, out string name, out bool isFile)
    {
        (name, isFile) = ("", false);
        if (disposition is null || !disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase))
        {
            return "a part has no Content-Disposition of form-data.";
        }

        // Two names, or one in an encoding that few readers know, are as many ways to be understood.
        var names = disposition.Parameters.Count(p => p.Name.Equals("name", StringComparison.OrdinalIgnoreCase));
        if (names != 1 || disposition.Parameters.Any(p => p.Name.Equals("name*", StringComparison.OrdinalIgnoreCase)))
        {
            return "a part has not exactly one name.";
        }

        name = HeaderUtilities.UnescapeAsQuotedString(disposition.Name).Value ?? "";
        isFile = disposition.FileName.HasValue || disposition.FileNameStar.HasValue;
        return null;
    }

    /// <summary>The delimiter's next place, wherever in a line that is; -1: none.</summary>
    private async Task<long> FindAsync(long from, CancellationToken cancel)
    {
        while (true)
        {
            var read = await _body.ReadAsync(from, _window, cancel);
            var at = _window.AsSpan(0, read).IndexOf(_delimiter);
            if (at >= 0)
            {
                return from + at;
            }

            if (read < _window.Length)
            {
                return -1;
            }

            from += read - (_delimiter.Length - 1);
        }
    }
}
