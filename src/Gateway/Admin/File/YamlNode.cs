namespace Gateway.Admin.File;

/// <summary>What stands in the file, before anything is known about what it should be.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Size">Characters and nodes below and with this one, aliases written out.</param>
/// <param name="Depth">Levels below and with this one.</param>
internal abstract record YamlNode(int Line, long Size, int Depth);

/// <param name="IsPlain">Without quotes and not a block: only then can it be a number, true, false or nothing.</param>
internal sealed record YamlScalar(int Line, string Text, bool IsPlain) : YamlNode(Line, Text.Length + 1, 1);

internal sealed record YamlList(int Line, long Size, int Depth, IReadOnlyList<YamlNode> Items)
    : YamlNode(Line, Size, Depth);

/// <param name="Entries">As written, so a key may be there twice: whoever walks the tree knows the path.</param>
internal sealed record YamlMap(int Line, long Size, int Depth, IReadOnlyList<YamlEntry> Entries)
    : YamlNode(Line, Size, Depth);

internal readonly record struct YamlEntry(int Line, string Key, YamlNode Value);
