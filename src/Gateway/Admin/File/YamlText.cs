using System.Text;
using System.Text.Unicode;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gateway.Admin.File;

/// <summary>From bytes to a tree of nodes, with bounds on size, depth and what aliases may multiply.</summary>
internal static class YamlText
{
    public const int MaxBytes = 16 * 1_048_576;
    public const int MaxDepth = 32;

    /// <summary>The text of the file, or the one error that kept it from being text.</summary>
    public static (string? Text, FileError? Error) Decode(ReadOnlySpan<byte> yaml)
    {
        if (yaml.Length > MaxBytes)
        {
            var message = $"expected at most {MaxBytes / 1_048_576} MiB, got {yaml.Length} bytes";
            return (null, new FileError(1, "", message));
        }

        yaml = yaml.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? yaml[3..] : yaml;
        if (Utf8.IsValid(yaml))
        {
            return (Encoding.UTF8.GetString(yaml), null);
        }

        Utf8.ToUtf16(yaml, new char[yaml.Length], out var valid, out _, replaceInvalidSequences: false);
        var line = 1 + yaml[..valid].Count((byte)'\n');
        var wrong = $"expected UTF-8, got the byte 0x{yaml[valid]:X2}; save the file as UTF-8";
        return (null, new FileError(line, "", wrong));
    }

    /// <summary>The tree, or the one error that kept it from being read: past broken syntax nothing is known.</summary>
    public static (YamlNode? Root, FileError? Error) Parse(string text)
    {
        var scanner = new Scanner(new StringReader(text));
        try
        {
            return (new Reading(scanner).Document(), null);
        }
        catch (YamlException broken)
        {
            return (null, new FileError(Math.Max(1, (int)broken.Start.Line), "", Explain(text, broken)));
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet 16.3's scanner also ends so on some broken plain scalars, without a mark of the place.
            var line = (int)scanner.CurrentPosition.Line;
            return (null, new FileError(line, "", "this is not YAML: a text without quotes breaks off here"));
        }
    }

    private static string Explain(string text, YamlException broken)
    {
        if (broken is UnreadableException)
        {
            return broken.Message;
        }

        var line = text.Split('\n').ElementAtOrDefault((int)broken.Start.Line - 1) ?? "";

        // `{ apiKey: ${KEY} }` is the usual slip, and what the parser says of it is about braces.
        var hint = line.Contains("${", StringComparison.Ordinal)
            ? "; inside braces or brackets write \"${…}\" in quotes"
            : "";
        var noticed = broken.End.Line > broken.Start.Line ? $" (noticed on line {broken.End.Line})" : "";
        return $"this is not YAML: {broken.Message.TrimEnd('.')}{noticed}{hint}";
    }

    private sealed class Reading(Scanner scanner)
    {
        private readonly Parser _parser = new(scanner);
        private readonly Dictionary<AnchorName, YamlNode> _anchors = [];
        private long _size;

        public YamlNode Document()
        {
            Next();
            Next();
            if (_parser.Current is StreamEnd)
            {
                throw Refuse("the file is empty; write {} if it shall define nothing");
            }

            Next();
            var root = Node(1);
            Next();
            Next();
            return _parser.Current is StreamEnd
                ? root
                : throw Refuse("expected one document, got a second after '---'");
        }

        private void Next() => _parser.MoveNext();

        // Stands on the node's first event before, on its last after.
        private YamlNode Node(int depth)
        {
            if (depth > MaxDepth)
            {
                throw Refuse($"expected at most {MaxDepth} levels");
            }

            if (_parser.Current is AnchorAlias alias)
            {
                return _anchors.TryGetValue(alias.Value, out var target)
                    ? Bounded(target, depth)
                    : throw Refuse($"there is no anchor '&{alias.Value}' before this alias");
            }

            var start = (NodeEvent)_parser.Current!;
            if (!start.Tag.IsEmpty)
            {
                throw Refuse($"expected no tag, got {FileWords.Quote(start.Tag.ToString())}");
            }

            YamlNode node = start switch
            {
                Scalar scalar => new YamlScalar(Line(scalar), Whole(scalar), scalar.Style == ScalarStyle.Plain),
                SequenceStart list => List(Line(list), depth),
                _ => Map(Line(start), depth),
            };

            // After the content: an anchor inside its own content would be a tree without an end.
            if (!start.Anchor.IsEmpty)
            {
                _anchors[start.Anchor] = node;
            }

            return node is YamlScalar ? Bounded(node, depth) : node;
        }

        private YamlList List(int line, int depth)
        {
            var items = new List<YamlNode>();
            for (Next(); _parser.Current is not SequenceEnd; Next())
            {
                items.Add(Node(depth + 1));
            }

            return new YamlList(
                line, 1 + items.Sum(i => i.Size), 1 + items.Select(i => i.Depth).DefaultIfEmpty().Max(), items);
        }

        private YamlMap Map(int line, int depth)
        {
            var entries = new List<YamlEntry>();
            for (Next(); _parser.Current is not MappingEnd; Next())
            {
                var key = _parser.Current as Scalar
                    ?? throw Refuse("expected a name before ':', got a list, a map or an alias");
                var name = Whole(key);
                Next();
                if (_parser.Current is MappingEnd)
                {
                    // `- : x` makes the parser of YamlDotNet 16.3 leave the value out.
                    throw new UnreadableException(key.Start, "expected a name before ':' and a value after it");
                }

                entries.Add(new YamlEntry(Line(key), name, Node(depth + 1)));
            }

            return new YamlMap(
                line,
                1 + entries.Sum(e => e.Key.Length + e.Value.Size),
                1 + entries.Select(e => e.Value.Depth).DefaultIfEmpty().Max(),
                entries);
        }

        // Ten lines of aliases to aliases can stand for a billion nodes, so that is bounded like the file itself.
        private YamlNode Bounded(YamlNode node, int depth)
        {
            _size += node.Size;
            if (_size > MaxBytes)
            {
                throw Refuse($"with its aliases written out the file is larger than {MaxBytes / 1_048_576} MiB");
            }

            return depth + node.Depth - 1 > MaxDepth ? throw Refuse($"expected at most {MaxDepth} levels") : node;
        }

        private string Whole(Scalar scalar) =>
            YamlScalars.IsStorable(scalar.Value)
                ? scalar.Value
                : throw Refuse("text cannot hold the character \\0 or half of a surrogate pair");

        private static int Line(ParsingEvent at) => (int)at.Start.Line;

        private UnreadableException Refuse(string message) => new(_parser.Current!.Start, message);
    }

    private sealed class UnreadableException(Mark at, string message) : YamlException(at, at, message);
}
