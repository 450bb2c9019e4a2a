namespace Gateway.Cli;

/// <summary>A table for people: columns as wide as they need to be, two spaces between them.</summary>
internal static class TextTable
{
    public static IEnumerable<string> Format(string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((title, i) => rows.Select(r => r[i].Length).Append(title.Length).Max()).ToArray();
        return rows.Prepend(head).Select(row => string.Join("  ", row.Select((cell, i) => Plain(cell).PadRight(widths[i]))).TrimEnd());
    }

    /// <summary>Names may hold what would act on a terminal.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
