using System.Text.Json;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>
/// JSON as records: an array's items, an object's <c>records</c> or <c>data</c> where it has such an array, else the one
/// object; or one value on each line.
/// </summary>
internal static class JsonRecords
{
    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = ParseLimits.JsonDepth,
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <exception cref="UnreadableFileException">It is no JSON, or nested too deeply.</exception>
    public static void Read(string text, RecordList records)
    {
        using var document = Parse(text, "");
        foreach (var item in Items(document.RootElement))
        {
            Add(item, records);
        }
    }

    /// <exception cref="UnreadableFileException">A line is no JSON; the message names it.</exception>
    public static void ReadLines(string text, RecordList records, CancellationToken cancel)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            cancel.ThrowIfCancellationRequested();
            number++;
            if (line.IsWhiteSpace())
            {
                continue;
            }

            if (line.Length > 2 * ParseLimits.RecordCharacters)
            {
                throw new UnreadableFileException($"line {number} has more than {2 * ParseLimits.RecordCharacters} characters.");
            }

            using var document = Parse(line.ToString(), $"line {number}: ");
            Add(document.RootElement, records);
        }
    }

    private static JsonDocument Parse(string text, string where)
    {
        try
        {
            return JsonDocument.Parse(text, Options);
        }
        catch (JsonException wrong)
        {
            var place = wrong.LineNumber is { } line && where.Length == 0 ? $" near line {line + 1}" : "";
            throw new UnreadableFileException($"{where}it is not JSON, or nested more than {ParseLimits.JsonDepth} deep{place}.");
        }
    }

    private static List<JsonElement> Items(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Object)
        {
            foreach (var name in new[] { "records", "data" })
            {
                if (root.TryGetProperty(name, out var inside) && inside.ValueKind == JsonValueKind.Array)
                {
                    return [.. inside.EnumerateArray()];
                }
            }
        }

        return root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : [root];
    }

    private static void Add(JsonElement item, RecordList records)
    {
        try
        {
            switch (item.ValueKind)
            {
                case JsonValueKind.String:
                    records.Add(item.GetString()!);
                    break;
                case JsonValueKind.Object:
                    AddObject(item, records);
                    break;
                case JsonValueKind.Null:
                    break;
                default:
                    records.Add(item.GetRawText());
                    break;
            }
        }
        catch (InvalidOperationException)
        {
            throw new UnreadableFileException("a string in it holds half of a surrogate pair.");
        }
    }

    private static void AddObject(JsonElement item, RecordList records)
    {
        var fields = new RowFields();
        foreach (var member in item.EnumerateObject())
        {
            switch (member.Name, member.Value.ValueKind)
            {
                case ("metadata", JsonValueKind.Object):
                    fields.AddMetadata(member.Value);
                    break;
                case ("text" or "source" or "url", JsonValueKind.String):
                    fields.AddText(member.Name, member.Value.GetString()!);
                    break;
                case (_, JsonValueKind.String):
                    fields.AddString(member.Name, member.Value.GetString()!);
                    break;
                case (_, not JsonValueKind.Null):
                    fields.AddJson(member.Name, member.Value);
                    break;
                default:
                    break;
            }
        }

        fields.AddTo(records);
    }
}
