using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Simulator;

internal enum BreakKind { Cut, End, Stall, Malformed, ErrorEvent }

/// <summary>Where an answer goes wrong, and how.</summary>
/// <param name="After">
/// The number of content chunks that go out before; <see cref="Start"/> and <see cref="Headers"/> come before any, and
/// more than there are, like <see cref="Finish"/>, means right after the last finish_reason.
/// </param>
internal sealed record Break(BreakKind Kind, int After)
{
    /// <summary>Before anything is sent.</summary>
    public const int Start = -2;

    /// <summary>After status and headers, before the first byte of the body.</summary>
    public const int Headers = -1;

    public const int Finish = int.MaxValue;
}

/// <summary>
/// The injected trouble of one request, read from <c>!name=value</c> words in the model's name or the last user
/// message.
/// The README beside this file is their list.
/// </summary>
internal sealed partial class Trouble
{
    private const int MaxHugeBytes = 32 * 1_048_576;
    private static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    private static readonly FrozenSet<string> Known = FrozenSet.ToFrozenSet([
        "status", "retry-after", "code", "html", "times", "after", "id", "delay", "first", "pace", "ping", "cut", "end", "stall",
        "for", "malformed", "error-event", "nodone", "nousage", "huge", "finish", "unsupported", "unsupported-value", "loop"]);

    private readonly Dictionary<string, string> _words;

    private Trouble(Dictionary<string, string> words)
    {
        _words = words;
        Status = Whole("status", 400, 599);
        Times = Whole("times", 1, int.MaxValue);
        SparedFirst = Whole("after", 0, int.MaxValue) ?? 0;
        Delay = Wait("delay");
        FirstContent = Wait("first");
        Pace = Wait("pace");
        Ping = Wait("ping");
        StallFor = words.ContainsKey("for") ? Wait("for") : Timeout.InfiniteTimeSpan;
        HugeBytes = Size("huge");
        Break = ReadBreak();
    }

    public static Trouble None { get; } = new([]);

    public int? Status { get; }

    public string? RetryAfter => _words.GetValueOrDefault("retry-after");

    public string? Code => _words.GetValueOrDefault("code");

    public bool IsHtml => _words.ContainsKey("html");

    /// <summary>How many requests of the same <see cref="Id"/> meet it. Null: every one.</summary>
    public int? Times { get; }

    /// <summary>How many requests of the same <see cref="Id"/> go well before the first that does not.</summary>
    public int SparedFirst { get; }

    public string? Id => _words.GetValueOrDefault("id");

    /// <summary>Before status and headers.</summary>
    public TimeSpan Delay { get; }

    /// <summary>Between the headers (and role chunk) and the first content.</summary>
    public TimeSpan FirstContent { get; }

    /// <summary>Between content chunks, which then go out one by one.</summary>
    public TimeSpan Pace { get; }

    /// <summary>How often a comment is sent while a stream waits. Zero: never.</summary>
    public TimeSpan Ping { get; }

    /// <summary>How long a stall lasts. Infinite: until the caller leaves.</summary>
    public TimeSpan StallFor { get; }

    /// <summary>The length of the answer's text. Zero: no such wish.</summary>
    public int HugeBytes { get; }

    public Break? Break { get; }

    public bool HasNoDone => _words.ContainsKey("nodone");

    public bool HasNoUsage => _words.ContainsKey("nousage");

    /// <summary>Calls the last group of <c>call:</c> lines again and again.</summary>
    public bool IsLoop => _words.ContainsKey("loop");

    /// <summary>Sent in the place of the true finish_reason.</summary>
    public string? FinishReason => _words.GetValueOrDefault("finish");

    public string[] Unsupported => List("unsupported");

    public string[] UnsupportedValues => List("unsupported-value");

    /// <summary>Takes the directives out of a model's name and a message.</summary>
    /// <param name="model">As asked; everything from the first <c>!</c> on is directives.</param>
    /// <param name="message">The last user message, or null. Its own directives win over the model's.</param>
    /// <param name="rest">The message without them.</param>
    /// <exception cref="RefusalException">A directive's value makes no sense: 400.</exception>
    public static Trouble Read(string model, string? message, out string rest)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var word in model.Split('!').Skip(1))
        {
            var parts = word.Split('=', 2);
            words[parts[0]] = parts.Length > 1 ? parts[1] : "";
        }

        rest = message ?? "";
        if (rest.Contains('!', StringComparison.Ordinal))
        {
            var without = Directive().Replace(rest, match => Take(match, words));
            rest = without.Length == rest.Length ? rest : without.Trim();
        }

        return words.Count == 0 ? None : new Trouble(words);
    }

    private static string Take(Match match, Dictionary<string, string> words)
    {
        if (!Known.Contains(match.Groups[1].Value))
        {
            return match.Value;
        }

        words[match.Groups[1].Value] = match.Groups[2].Value;
        return "";
    }

    private Break? ReadBreak()
    {
        foreach (var kind in Enum.GetValues<BreakKind>())
        {
            var name = kind == BreakKind.ErrorEvent ? "error-event" : kind.ToString().ToLowerInvariant();
            if (!_words.TryGetValue(name, out var after))
            {
                continue;
            }

            return new Break(kind, after switch
            {
                "start" => Break.Start,
                "headers" => Break.Headers,
                "finish" => Break.Finish,
                _ => Whole(name, 0, Break.Finish) ?? 0,
            });
        }

        return null;
    }

    private string[] List(string name) =>
        _words.GetValueOrDefault(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private int? Whole(string name, int min, int max)
    {
        if (!_words.TryGetValue(name, out var text))
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max
            ? number
            : throw Senseless(name, text);
    }

    private TimeSpan Wait(string name)
    {
        if (!_words.TryGetValue(name, out var text))
        {
            return TimeSpan.Zero;
        }

        var (number, unit) = Measure(name, text);
        var wait = unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            _ => throw Senseless(name, text),
        };
        return wait <= MaxWait ? wait : throw Senseless(name, text);
    }

    private int Size(string name)
    {
        if (!_words.TryGetValue(name, out var text))
        {
            return 0;
        }

        var (number, unit) = Measure(name, text);
        var bytes = unit switch
        {
            "MB" => number * 1_048_576L,
            "KB" => number * 1024L,
            "B" or "" => number,
            _ => throw Senseless(name, text),
        };
        return bytes <= MaxHugeBytes ? (int)bytes : throw Senseless(name, text);
    }

    private static (int Number, string Unit) Measure(string name, string text)
    {
        var digits = text.Length - text.AsSpan().TrimStart("0123456789").Length;
        return int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (number, text[digits..])
            : throw Senseless(name, text);
    }

    private static RefusalException Senseless(string name, string text) =>
        RefusalException.Invalid(null, $"The simulator cannot follow the directive '!{name}={text}'.", "invalid_directive");

    [GeneratedRegex(@"(?<=^|\s)!([a-z-]+)(?:=(\S*))?(?=\s|$)[ \t]?")]
    private static partial Regex Directive();
}
