namespace Gateway.Bots.Datasets.Parsing;

/// <summary>A text that a file holds, with where it comes from.</summary>
/// <param name="Source">What people call it; empty: the file's name will do.</param>
/// <param name="Metadata">A JSON object.</param>
internal sealed record ParsedRecord(string Text, string Source, string? Url, string Metadata = "{}");

/// <summary>A file that cannot be read. The message says why, in words for its owner, and quotes nothing of the file.</summary>
internal sealed class UnreadableFileException(string why) : Exception(why);
