namespace Gateway.Bots.Datasets.Parsing;

/// <summary>What a file may hold at most: more is no text for a bot, or was made to do harm.</summary>
internal static class ParseLimits
{
    /// <summary>Of one record, in characters.</summary>
    public const int RecordCharacters = 4_000_000;

    /// <summary>Of all records of a file together, in characters.</summary>
    public const int FileCharacters = 100_000_000;

    /// <summary>Of a file.</summary>
    public const int Records = 200_000;

    /// <summary>Nesting of JSON.</summary>
    public const int JsonDepth = 64;

    public const int SourceCharacters = 1_000;
    public const int UrlCharacters = 2_000;
    public const int MetadataCharacters = 16_000;
}
