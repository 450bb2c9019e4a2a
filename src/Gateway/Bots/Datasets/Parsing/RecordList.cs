namespace Gateway.Bots.Datasets.Parsing;

/// <summary>The records of a file while it is read: cleaned, and within <see cref="ParseLimits"/>.</summary>
internal sealed class RecordList
{
    private readonly List<ParsedRecord> _records = [];
    private long _characters;

    /// <summary>Adds a record; one without any text is left out.</summary>
    /// <exception cref="UnreadableFileException">It is too large, or there are too many.</exception>
    public void Add(string text, string source = "", string? url = null, string metadata = "{}")
    {
        text = PlainText.Clean(text).Trim();
        if (text.Length == 0)
        {
            return;
        }

        _characters += text.Length;
        Check(text.Length <= ParseLimits.RecordCharacters, $"a text in it has more than {ParseLimits.RecordCharacters} characters");
        Check(_characters <= ParseLimits.FileCharacters, $"its texts have more than {ParseLimits.FileCharacters} characters together");
        Check(_records.Count < ParseLimits.Records, $"it has more than {ParseLimits.Records} records");
        Check(source.Length <= ParseLimits.SourceCharacters, $"a source in it has more than {ParseLimits.SourceCharacters} characters");
        Check(metadata.Length <= ParseLimits.MetadataCharacters, $"metadata in it has more than {ParseLimits.MetadataCharacters} characters");
        _records.Add(new ParsedRecord(text, PlainText.OneLine(source), WebAddress(url), metadata));
    }

    /// <exception cref="UnreadableFileException">There is no text at all.</exception>
    public IReadOnlyList<ParsedRecord> ToList()
    {
        Check(_records.Count > 0, "it has no text");
        return _records;
    }

    /// <summary>Readers are sent there, so nothing but a web address will do.</summary>
    public static string? WebAddress(string? url) =>
        url is { Length: > 0 and <= ParseLimits.UrlCharacters } && Uri.TryCreate(url.Trim(), UriKind.Absolute, out var address)
        && address.Scheme is "http" or "https" && !url.Any(char.IsControl)
            ? url.Trim()
            : null;

    private static void Check(bool isRight, string otherwise)
    {
        if (!isRight)
        {
            throw new UnreadableFileException($"{otherwise}.");
        }
    }
}
