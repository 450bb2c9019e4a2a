namespace Gateway.Bots.Datasets;

/// <summary>What stands under one heading.</summary>
/// <param name="Path">The headings above, outermost first; empty: none.</param>
internal sealed record Section(string Path, IReadOnlyList<string> Paragraphs)
{
    /// <summary>The sections of a text. A heading with nothing under it is one only where none is below it.</summary>
    public static IEnumerable<Section> Read(string text)
    {
        var above = new string?[6];
        var paragraphs = new List<string>();
        var lines = new List<string>();
        var depth = 0;
        var isCode = false;
        foreach (var line in text.Split('\n'))
        {
            isCode ^= line.AsSpan().TrimStart().StartsWith("```");
            if (!isCode && Level(line) is var level and > 0)
            {
                CloseParagraph();
                if (paragraphs.Count > 0 || (depth > 0 && level <= depth))
                {
                    yield return new Section(PathOf(above), paragraphs);
                    paragraphs = [];
                }

                Array.Clear(above, level - 1, above.Length - level + 1);
                above[level - 1] = line[level..].Trim().TrimEnd('#').TrimEnd();
                depth = level;
            }
            else if (string.IsNullOrWhiteSpace(line) && !isCode)
            {
                CloseParagraph();
            }
            else
            {
                lines.Add(line.TrimEnd());
            }
        }

        CloseParagraph();
        if (paragraphs.Count > 0 || depth > 0)
        {
            yield return new Section(PathOf(above), paragraphs);
        }

        void CloseParagraph()
        {
            if (lines.Count > 0)
            {
                paragraphs.Add(string.Join('\n', lines));
                lines.Clear();
            }
        }
    }

    private static string PathOf(string?[] above) => string.Join(" > ", above.Where(h => !string.IsNullOrEmpty(h)));

    /// <summary>Of a heading as Markdown writes it; 0: none.</summary>
    private static int Level(string line)
    {
        var level = 0;
        while (level < line.Length && line[level] == '#')
        {
            level++;
        }

        return level is >= 1 and <= 6 && level < line.Length && line[level] is ' ' or '\t' ? level : 0;
    }
}
