using System.IO.Enumeration;

namespace Gateway.Admin.File;

/// <summary>
/// Patterns for files, as shells know them: <c>*</c> is any part of a name, <c>?</c> a character, <c>**</c> any folders.
/// None of the three matches a name that begins with a dot: mounted configuration keeps its older versions under such names.
/// </summary>
internal static class FileGlob
{
    /// <summary>Files and folders that are looked at for one pattern, before it is called too wide.</summary>
    public const int MaxSeen = 100_000;

    private const int MaxDepth = 32;

    /// <summary>What is wrong with a pattern, or null.</summary>
    public static string? Problem(string pattern)
    {
        const string Expected = "expected a path relative to this file, such as ./handbook/*.md";
        var steps = Steps(pattern);
        return pattern.StartsWith('/') || pattern.Contains('\\', StringComparison.Ordinal) || Path.IsPathRooted(pattern) ? Expected
            : steps is [] or [.., ".."] || pattern.EndsWith('/') ? $"{Expected}, got no file's name"
            : steps.Any(s => s != "**" && s.Contains("**", StringComparison.Ordinal)) ? "'**' stands for whole folders: write it alone between two '/'"
            : null;
    }

    /// <summary>The files that match, as paths relative to the folder, with slashes, in order; null: the pattern is too wide.</summary>
    /// <param name="pattern">One without a <see cref="Problem"/>.</param>
    public static List<string>? Find(string folder, string pattern)
    {
        var search = new Search();
        search.Walk(folder, "", Steps(pattern), 0, 0);
        return search.IsTooWide ? null : [.. search.Found.Order(StringComparer.Ordinal)];
    }

    private static string[] Steps(string pattern) => [.. pattern.Split('/').Where(step => step is not ("" or "."))];

    private sealed class Search
    {
        private int _seen;

        public HashSet<string> Found { get; } = new(StringComparer.Ordinal);

        public bool IsTooWide => _seen > MaxSeen;

        public void Walk(string folder, string before, string[] steps, int at, int depth)
        {
            // A link to a folder above itself would never end.
            if (IsTooWide || depth > MaxDepth || !Directory.Exists(folder))
            {
                return;
            }

            var step = steps[at];
            if (step == "**")
            {
                WalkAnyFolders(folder, before, steps, at, depth);
                return;
            }

            foreach (var name in Names(folder, step))
            {
                var path = Path.Combine(folder, name);
                if (at < steps.Length - 1)
                {
                    Walk(path, $"{before}{name}/", steps, at + 1, depth + 1);
                }
                else if (System.IO.File.Exists(path))
                {
                    Found.Add(before + name);
                }
            }
        }

        private void WalkAnyFolders(string folder, string before, string[] steps, int at, int depth)
        {
            // At the end it stands for all files below.
            var rest = at == steps.Length - 1 ? [.. steps, "*"] : steps;
            Walk(folder, before, rest, at + 1, depth);
            foreach (var name in Names(folder, "*"))
            {
                var path = Path.Combine(folder, name);
                if (Directory.Exists(path))
                {
                    Walk(path, $"{before}{name}/", steps, at, depth + 1);
                }
            }
        }

        private List<string> Names(string folder, string step)
        {
            if (!step.AsSpan().ContainsAny('*', '?'))
            {
                _seen++;
                return [step];
            }

            var names = new List<string>();
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", EnumerateAll))
            {
                if (++_seen > MaxSeen)
                {
                    return [];
                }

                if ((step[0] == '.' || entry.Name[0] != '.') && FileSystemName.MatchesSimpleExpression(step, entry.Name, ignoreCase: false))
                {
                    names.Add(entry.Name);
                }
            }

            return names;
        }

        // What may not be read is an error that is told, not a file less.
        private static EnumerationOptions EnumerateAll { get; } = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
    }
}
