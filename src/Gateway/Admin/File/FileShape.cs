using System.Text.RegularExpressions;

namespace Gateway.Admin.File;

/// <summary>
/// What a value of the file may be. One tree of these is both the reader's rules and the JSON Schema for editors, so
/// that the two cannot disagree.
/// </summary>
internal abstract record FileShape
{
    private FileShape() { }

    /// <param name="Pattern">A regular expression that .NET and ECMAScript read alike.</param>
    /// <param name="Expected">What the pattern means, in words: "expected {this}".</param>
    /// <param name="OneOf">The only texts allowed; null means any.</param>
    internal sealed record Text(
        int MaxLength = Text.NameLength,
        string? Pattern = null,
        string Expected = "text",
        bool HasLines = false,
        bool IsSecret = false,
        IReadOnlyList<string>? OneOf = null,
        bool MayBeEmpty = false) : FileShape
    {
        public const int NameLength = 200;

        public Regex? Matcher { get; } = Pattern is null ? null : new Regex(Pattern, RegexOptions.CultureInvariant);
    }

    /// <summary>An absolute http or https address to which paths are appended.</summary>
    internal sealed record Address : FileShape;

    /// <param name="IsAboveMin">The least itself is too little.</param>
    internal sealed record Number(decimal Min, decimal Max, bool IsWhole, bool IsAboveMin = false) : FileShape;

    internal sealed record Flag : FileShape;

    internal sealed record Duration(TimeSpan Min, TimeSpan Max) : FileShape;

    /// <summary>Money or tokens in a day or month; see <see cref="FileBudget"/>.</summary>
    internal sealed record Budget : FileShape;

    /// <summary>An amount of money; see <see cref="FileBudget"/>.</summary>
    internal sealed record Money : FileShape;

    /// <summary>Free names, each with a text.</summary>
    internal sealed record TextMap(Text Key, Text Value, RefusedNames Refused) : FileShape;

    /// <summary>Free names, each with any value that JSON can say.</summary>
    internal sealed record Json(RefusedNames Refused) : FileShape;

    /// <param name="UniqueBy">The field that no two items may share; empty in a list of texts: the text.</param>
    /// <param name="EmptyAdvice">Not null: the list must have an item, and this is what to do instead.</param>
    internal sealed record List(
        FileShape Item,
        string? UniqueBy = null,
        string? EmptyAdvice = null) : FileShape;

    internal sealed record Object(params IReadOnlyList<Field> Fields) : FileShape;
}

/// <summary>Names that a free map does not take, each with the reason that is told.</summary>
internal sealed record RefusedNames(StringComparer Comparer, IReadOnlyDictionary<string, string> Reasons)
{
    public static readonly RefusedNames None = new(StringComparer.Ordinal, new Dictionary<string, string>());
}

/// <param name="Default">Shown to editors; the reader's own defaults are where the records are made.</param>
internal sealed record Field(
    string Name,
    FileShape Shape,
    string Description,
    bool IsRequired = false,
    string? Default = null);
