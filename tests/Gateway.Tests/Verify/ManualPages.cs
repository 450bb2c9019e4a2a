using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Verify;

/// <summary>A page of the manual, or what a package is said to be; without the line that names it.</summary>
internal sealed record RealText(string Name, string Text);

/// <summary>
/// A real text collection that is on a Debian: its manual pages, or, where they are left out as in small images, the
/// descriptions of its packages. The same texts in the same order on the same machine.
/// </summary>
internal static partial class ManualPages
{
    private const string Manual = "/usr/share/man";
    private const string Packages = "/var/lib/dpkg/status";
    private const int ShortestText = 400;
    private const int LongestText = 12_000;

    /// <summary>Of one program: some have thousands, made from one mould, which no question could tell apart.</summary>
    private const int MostOfOne = 40;

    /// <exception cref="InvalidOperationException">There are too few.</exception>
    public static List<RealText> Read(int most)
    {
        var pages = Directory.Exists(Manual)
            ? Directory.EnumerateDirectories(Manual, "man?").SelectMany(Directory.EnumerateFiles).Where(f => f.EndsWith(".gz", StringComparison.Ordinal))
            : [];
        // In no order of names: neighbours there say the same.
        var texts = Different(SomeOfEach(pages.OrderBy(f => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(f))))).Select(Page), most);
        if (texts.Count < most && File.Exists(Packages))
        {
            texts = Different(File.ReadAllText(Packages).Split("\n\n").Select(Package), most);
        }

        return texts.Count >= most ? texts : throw new InvalidOperationException(
            $"The measurement needs {most} texts and found {texts.Count} in {Manual} and {Packages}. Install some: apt-get install manpages manpages-dev.");
    }

    private static List<RealText> Different(IEnumerable<RealText?> texts, int most)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return [.. texts.OfType<RealText>().Where(t => t.Text.Length >= 200 && seen.Add(t.Text[..200])).Take(most)];
    }

    private static IEnumerable<string> SomeOfEach(IEnumerable<string> files)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var program = Program().Match(Path.GetFileName(file)).Value;
            if ((counts[program] = counts.GetValueOrDefault(program) + 1) <= MostOfOne)
            {
                yield return file;
            }
        }
    }

    private static RealText? Page(string file)
    {
        using var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var reader = new StreamReader(packed, Encoding.UTF8);
        var text = new StringBuilder();
        var isRead = false;
        while (reader.ReadLine() is { } line && text.Length < LongestText)
        {
            if (line.StartsWith(".SH", StringComparison.OrdinalIgnoreCase))
            {
                var heading = Plain(line[3..]).Trim(' ', '"');
                isRead = heading is not ("NAME" or "SYNOPSIS" or "SEE ALSO" or "COPYRIGHT" or "AUTHOR" or "AUTHORS" or "REPORTING BUGS" or "");
                text.Append(isRead ? $"\n\n# {heading}\n" : "");
            }
            else if (isRead)
            {
                Append(line, text);
            }
        }

        return text.Length < ShortestText ? null : new RealText(Path.GetFileNameWithoutExtension(file), text.ToString().Trim());
    }

    /// <summary>Words of the line: those of a font request too; other requests lay out, and end a paragraph.</summary>
    private static void Append(string line, StringBuilder text)
    {
        if (line is not ['.' or '\'', ..])
        {
            text.Append(Plain(line)).Append('\n');
        }
        else if (Font().Match(line) is { Success: true } font)
        {
            text.Append(Plain(font.Groups[1].Value.Replace("\"", "", StringComparison.Ordinal))).Append('\n');
        }
        else if (Paragraph().IsMatch(line))
        {
            text.Append('\n');
        }
    }

    private static string Plain(string line) =>
        Escape().Replace(line.Replace("\\-", "-", StringComparison.Ordinal).Replace("\\&", "", StringComparison.Ordinal), "");

    private static RealText? Package(string paragraph)
    {
        var name = Regex.Match(paragraph, "^Package: (.+)$", RegexOptions.Multiline).Groups[1].Value;
        var at = paragraph.IndexOf("\nDescription:", StringComparison.Ordinal);
        if (name.Length == 0 || at < 0)
        {
            return null;
        }

        var lines = paragraph[(at + 1)..].Split('\n').Skip(1).TakeWhile(l => l.StartsWith(' ')).Select(l => l.Trim() == "." ? "" : l.Trim());
        return new RealText(name, string.Join('\n', lines));
    }

    [GeneratedRegex(@"^\.(?:B|I|BR|RB|BI|IB|IR|RI|SB|SM|Nm|Fl|Ar|Pa|Xr|Em|Cm|Dv)\s+(.*)$")]
    private static partial Regex Font();

    [GeneratedRegex("^[^-_.:]+")]
    private static partial Regex Program();

    [GeneratedRegex(@"^\.(?:PP|P|LP|sp|TP|IP|Pp|It|HP|RS|SS)\b")]
    private static partial Regex Paragraph();

    [GeneratedRegex(@"\\(?:f(?:\(..|\[[^\]]*\]|.)|s[-+]?\d+|\(..|\[[^\]]*\]|\*(?:\(..|\[[^\]]*\]|.)|[a-zA-Z]'[^']*'|.)")]
    private static partial Regex Escape();
}
