namespace Gateway.Selectors;

/// <summary>
/// What the <c>model</c> field of a request names: an upstream model or one of our bots. Its syntax is known in this
/// file alone.
/// </summary>
internal abstract record Selector
{
    /// <summary>The forms that are accepted, for messages.</summary>
    public const string Forms = "'model/name=<model>' or 'bot/id=<id>'";

    /// <summary>Most characters of a selector: logs and the memory of what providers take keep them as they came.</summary>
    public const int MaxLength = 512;

    private const string ModelPrefix = "model/name=";
    private const string ModelIdPrefix = "model/id=";
    private const string BotPrefix = "bot/id=";

    private Selector(string text, string canonical) => (Text, Canonical) = (text, canonical);

    /// <summary>As the caller wrote it; replies of bots carry it as their <c>model</c>.</summary>
    public string Text { get; }

    /// <summary>One spelling for each target, which keys are matched against and lists show.</summary>
    public string Canonical { get; }

    /// <param name="Name">The model's name as configured; may hold <c>/</c>.</param>
    internal sealed record Model(string Name, string Text) : Selector(Text, ModelPrefix + Name);

    internal sealed record Bot(string Id, string Text) : Selector(Text, BotPrefix + Id);

    /// <summary>
    /// Reads a selector. Everything behind the <c>=</c> is the value, in which <c>%2F</c> stands for <c>/</c>. Null when
    /// the text has no known prefix, nothing after it, a control character in it or more than <see cref="MaxLength"/>
    /// characters; also for <c>conversation/…</c>, which is reserved.
    /// </summary>
    public static Selector? Parse(string text) => text switch
    {
        _ when !IsKeepable(text) => null,
        _ when Rest(text, ModelPrefix) is { Length: > 0 } name => new Model(name, text),
        _ when Rest(text, ModelIdPrefix) is { Length: > 0 } name => new Model(name, text),
        _ when Rest(text, BotPrefix) is { Length: > 0 } id => new Bot(id, text),
        _ => null,
    };

    /// <summary>The selector that reaches a model of this name.</summary>
    public static Selector ForModel(string name) => new Model(name, ModelPrefix + name);

    /// <summary>The selector that reaches a bot with this id.</summary>
    public static Selector ForBot(string id) => new Bot(id, BotPrefix + id);

    /// <summary>Whether a key's pattern could ever match: a selector, or the beginning of one and a <c>*</c>.</summary>
    public static bool IsPattern(string pattern) =>
        IsKeepable(pattern)
        && (pattern == "*"
            || (pattern.EndsWith('*')
                ? pattern[..^1].IndexOf('=', StringComparison.Ordinal) > 0
                    ? StartsKnown(pattern)
                    : ModelPrefix.StartsWith(pattern[..^1], StringComparison.Ordinal)
                        || BotPrefix.StartsWith(pattern[..^1], StringComparison.Ordinal)
                : Parse(pattern) is { } exact && exact.Canonical == pattern));

    /// <summary>Whether a key's pattern (exact, or ending in <c>*</c>) covers this selector.</summary>
    public bool IsCoveredBy(string pattern) =>
        pattern.EndsWith('*')
            ? Canonical.AsSpan().StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)
            : string.Equals(Canonical, pattern, StringComparison.Ordinal);

    // No name has control characters, and they would break a log line in two; the database cannot hold all of them.
    private static bool IsKeepable(string text) => text.Length <= MaxLength && !text.Any(char.IsControl);

    private static bool StartsKnown(string pattern) =>
        pattern.StartsWith(ModelPrefix, StringComparison.Ordinal)
        || pattern.StartsWith(BotPrefix, StringComparison.Ordinal);

    private static string? Rest(string text, string prefix)
    {
        if (!text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var rest = text[prefix.Length..];
        return rest.Contains('%', StringComparison.Ordinal)
            ? rest.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)
            : rest;
    }
}
