namespace Gateway.Bots.Datasets.Parsing;

/// <summary>Files as records, by what their names end in.</summary>
internal static class FileParser
{
    /// <summary>What a name may end in, without the dot.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["txt", "md", "markdown", "html", "htm", "csv", "json", "jsonl", "ndjson", "docx", "pdf"];

    public static bool IsKnown(string name) => Formats.Contains(Format(name));

    /// <summary>Reads a file whole.</summary>
    /// <param name="name">Its name or path, which decides how it is read.</param>
    /// <exception cref="UnreadableFileException">It is broken, hostile, empty or of an unknown format.</exception>
    public static async Task<IReadOnlyList<ParsedRecord>> ParseAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        var records = new RecordList();
        var source = name[(name.LastIndexOf('/') + 1)..];
        switch (Format(name))
        {
            case "txt" or "md" or "markdown":
                records.Add(PlainText.Decode(content.Span), source);
                break;
            case "html" or "htm":
                var page = HtmlText.Read(PlainText.Decode(content.Span), cancel);
                records.Add(page.Text, page.Title.Length > 0 ? page.Title : source);
                break;
            case "csv":
                CsvRecords.Read(PlainText.Decode(content.Span), records, cancel);
                break;
            case "json":
                JsonRecords.Read(PlainText.Decode(content.Span), records);
                break;
            case "jsonl" or "ndjson":
                JsonRecords.ReadLines(PlainText.Decode(content.Span), records, cancel);
                break;
            case "docx":
                records.Add(DocxText.Read(content, cancel), source);
                break;
            case "pdf":
                records.Add(await PdfText.ReadAsync(content, cancel), source);
                break;
            default:
                throw new UnreadableFileException($"its name must end in one of: {string.Join(", ", Formats.Select(f => "." + f))}.");
        }

        return records.ToList();
    }

    private static string Format(string name) => Path.GetExtension(name).TrimStart('.').ToLowerInvariant();
}
