using System.Text.RegularExpressions;

namespace Gateway.Tests.Support;

/// <summary>One source file: its path with slashes, relative to <c>src/Gateway</c>, and its text.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>The folder below the project, or the empty string for a file beside <c>Program.cs</c>.</summary>
    public string Room => Path.Contains('/', StringComparison.Ordinal) ? Path[..Path.IndexOf('/', StringComparison.Ordinal)] : string.Empty;
}

/// <summary>
/// Which room of <c>src/Gateway</c> may use which. Reads source text, not assemblies: an unused using, a constant that
/// the compiler folds, a name in an attribute count too.
/// </summary>
internal static partial class HouseRules
{
    /// <summary>Everybody logs.</summary>
    private const string Observability = "Observability";

    /// <summary>The only place where this table is written down. Left uses right.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Chat"] = ["Selectors", "Bots", "Upstream", "Limits", "Usage", "Http"],
        ["ChatKit"] = ["Selectors", "Bots", "Limits", "Usage", "Http", "Data"],
        ["Passthrough"] = ["Selectors", "Upstream", "Limits", "Usage", "Http"],
        ["Admin"] = ["Selectors", "Bots", "Upstream", "Limits", "Usage", "Http", "Data"],
        ["Cli"] = ["Admin", "Http", "Data", "Simulator", "Selectors"],
        ["Bots"] = ["Upstream", "Usage", "Limits", "Http", "Data"],
        ["Upstream"] = ["Usage", "Http", "Data"],
        ["Limits"] = ["Usage", "Http", "Data"],
        ["Usage"] = ["Data"],
        ["Http"] = ["Selectors", "Data"],
        [Observability] = ["Data"],
        ["Selectors"] = [],
        ["Simulator"] = [],
        ["Data"] = [],
    };

    /// <summary>What breaks the rules, one line each; empty when nothing does.</summary>
    public static IReadOnlyList<string> Violations(IReadOnlyCollection<SourceFile> files)
    {
        var codes = files.Select(file => (File: file, Code: WithoutCommentsAndTexts(file.Text))).ToList();
        var typesOf = codes.GroupBy(c => c.File.Room).ToDictionary(
            room => room.Key, room => room.SelectMany(c => DeclaredType().Matches(c.Code).Select(m => m.Groups[1].Value)).ToHashSet());

        return [.. codes.SelectMany(c => Violations(c.File, c.Code, typesOf)).Distinct()];
    }

    /// <summary>Rooms that a project file's <c>Using</c> items bring into every room, which no room may ask for.</summary>
    public static IReadOnlyList<string> UsingsOfProject(string projectXml) =>
        [.. ProjectUsing().Matches(projectXml).Select(m => $"the project uses {m.Groups[1].Value} everywhere")];

    private static IEnumerable<string> Violations(SourceFile file, string code, Dictionary<string, HashSet<string>> typesOf)
    {
        foreach (Match everywhere in GlobalUsing().Matches(code))
        {
            yield return $"{file.Path} uses {everywhere.Groups[1].Value} everywhere (global using)";
        }

        if (file.Path == "Program.cs")
        {
            yield break;
        }

        if (!MayUse.TryGetValue(file.Room, out var allowed))
        {
            yield return file.Room.Length == 0
                ? $"{file.Path} is in no room"
                : $"{file.Path}: the room {file.Room} is not in the table";
            yield break;
        }

        foreach (Match declared in Namespace().Matches(code))
        {
            if (declared.Groups[1].Value != file.Room)
            {
                yield return $"{file.Path} declares a namespace that is not Gateway.{file.Room}";
            }
        }

        if (DeclaredType().IsMatch(code) && !Namespace().IsMatch(code))
        {
            yield return $"{file.Path} declares types outside Gateway.{file.Room}";
        }

        foreach (var used in Uses(code, typesOf))
        {
            if (used != file.Room && used != Observability && !allowed.Contains(used))
            {
                yield return $"{file.Path} uses {used}";
            }
        }
    }

    private static IEnumerable<string> Uses(string code, Dictionary<string, HashSet<string>> typesOf)
    {
        foreach (Match match in Qualified().Matches(code))
        {
            yield return match.Groups[1].Value;
        }

        // Inside `namespace Gateway.Chat` a plain `Bots.BotTurn` resolves to Gateway.Bots.BotTurn without any using.
        foreach (Match match in Relative().Matches(code))
        {
            if (typesOf.TryGetValue(match.Groups[1].Value, out var types) && types.Contains(match.Groups[2].Value))
            {
                yield return match.Groups[1].Value;
            }
        }
    }

    /// <summary>Comments and string literals become nothing; the holes of interpolated strings stay, being code.</summary>
    private static string WithoutCommentsAndTexts(string text) => CommentOrText().Replace(
        text, match => match.Value[0] == '$' ? string.Concat(Hole().Matches(match.Value).Select(hole => hole.Value)) : " ");

    [GeneratedRegex(
        """
        //[^\n]*|/\*.*?\*/|\$*("{3,}).*?\1|\$?@\$?"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'
        """, RegexOptions.Singleline)]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Hole();

    [GeneratedRegex(@"(?<![\w.])Gateway\s*\.\s*(\w+)(?=\s*[.;])")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"(?<![\w.])(\w+)\s*\.\s*(\w+)")]
    private static partial Regex Relative();

    [GeneratedRegex(@"\bglobal\s+using\s+(?:static\s+)?(?:\w+\s*=\s*)?(?:global::)?Gateway\.(\w+)")]
    private static partial Regex GlobalUsing();

    [GeneratedRegex(@"\bnamespace\s+Gateway(?:\.(\w+))?[\w.]*\s*[;{]")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record|delegate\s+[\w<>?\[\],. ]+?)\s+(?:struct\s+|class\s+)?(\w+)")]
    private static partial Regex DeclaredType();

    [GeneratedRegex("""<Using\s[^>]*(?:Include|Update)\s*=\s*"(?:Gateway\.)(\w+)""")]
    private static partial Regex ProjectUsing();
}
