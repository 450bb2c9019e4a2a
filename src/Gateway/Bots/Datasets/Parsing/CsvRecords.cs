using System.Globalization;
using System.Text.Json;
using CsvHelper;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>A table with a row of names at its head; each further row is a record.</summary>
internal static class CsvRecords
{
    private const int MostColumns = 1_000;

    private static readonly CsvReaderOptions Options = new()
    {
        MaxRecordSize = 4 * ParseLimits.RecordCharacters,
        MalformedData = CsvMalformedDataHandling.Throw,
        TrimWhitespace = true,
        IncludeValuesInExceptions = false,
    };

    /// <exception cref="UnreadableFileException">It is no such table.</exception>
    public static void Read(string text, RecordList records, CancellationToken cancel)
    {
        using var csv = CsvReader.FromText(text, Options);
        try
        {
            csv.ReadHeader();
            var names = Names([.. csv.Headers]);
            while (csv.Read())
            {
                cancel.ThrowIfCancellationRequested();
                if (csv.FieldCount > names.Length)
                {
                    throw new UnreadableFileException($"row {csv.RowNumber} has {csv.FieldCount} fields, and the first row names {names.Length}.");
                }

                Add(names, csv, records);
            }
        }
        catch (CsvFormatException wrong)
        {
            throw new UnreadableFileException(
                $"record {wrong.RecordNumber} is no CSV: a quote stands in the wrong place or is never closed, or the record is larger than {4 * ParseLimits.RecordCharacters} bytes.");
        }
    }

    private static string[] Names(string[] headers)
    {
        if (headers.Length is 0 or > MostColumns || headers.All(string.IsNullOrWhiteSpace))
        {
            throw new UnreadableFileException($"its first row must name the columns, at most {MostColumns}.");
        }

        return [.. headers.Select((name, i) => string.IsNullOrWhiteSpace(name) ? string.Create(CultureInfo.InvariantCulture, $"column {i + 1}") : name.Trim())];
    }

    private static void Add(string[] names, CsvReader row, RecordList records)
    {
        var fields = new RowFields();
        JsonDocument? metadata = null;
        try
        {
            for (var i = 0; i < row.FieldCount; i++)
            {
                var cell = row.GetString(i);
                if (names[i].Equals("metadata", StringComparison.OrdinalIgnoreCase) && metadata is null && TryParse(cell, out metadata))
                {
                    fields.AddMetadata(metadata!.RootElement);
                }
                else
                {
                    fields.AddText(names[i], cell);
                }
            }

            fields.AddTo(records);
        }
        catch (InvalidOperationException)
        {
            throw new UnreadableFileException($"row {row.RowNumber}: its metadata holds half of a surrogate pair.");
        }
        finally
        {
            metadata?.Dispose();
        }
    }

    private static bool TryParse(string cell, out JsonDocument? metadata)
    {
        metadata = null;
        if (!cell.AsSpan().TrimStart().StartsWith("{"))
        {
            return false;
        }

        try
        {
            metadata = JsonDocument.Parse(cell, new JsonDocumentOptions { MaxDepth = ParseLimits.JsonDepth });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
