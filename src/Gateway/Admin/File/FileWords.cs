using System.Text;

namespace Gateway.Admin.File;

/// <summary>How the file's own words are shown in an error.</summary>
internal static class FileWords
{
    private const int MaxShown = 60;

    /// <summary>The text in single quotes, cut after 60 characters, without what could act on a terminal.</summary>
    public static string Quote(string text)
    {
        var shown = new StringBuilder("'");
        foreach (var c in text.Length > MaxShown ? text.AsSpan(0, MaxShown) : text)
        {
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return shown.Append(text.Length > MaxShown ? "…'" : "'").ToString();
    }

    /// <summary>The name meant by a mistyped one, or null when none is near.</summary>
    public static string? Nearest(string typed, IEnumerable<string> names)
    {
        var allowed = Math.Max(1, typed.Length / 3);

        // A long key is no typing error, and the distance costs length times length.
        return typed.Length > MaxShown
            ? null
            : names
                .Select(name => (Name: name, Distance: Distance(typed.ToLowerInvariant(), name.ToLowerInvariant())))
                .Where(candidate => candidate.Distance <= allowed)
                .OrderBy(candidate => candidate.Distance)
                .Select(candidate => candidate.Name)
                .FirstOrDefault();
    }

    // Levenshtein, where two neighbouring letters changed about count once: the most usual slip.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
