using System.Text.RegularExpressions;
using Gateway.Admin.File;

namespace Gateway.Admin.Api;

/// <summary>
/// The shapes of <c>gateway.yaml</c> as the API has them: fields in snake_case, without those that only a
/// file needs: <c>files</c>, which are found beside it, <c>managed</c> and <c>keepCredentials</c>. All other rules are the same, because they are the same.
/// </summary>
internal static partial class ApiShape
{
    private static readonly string[] OfFiles = ["files", "managed", "keepCredentials"];

    private static readonly HashSet<string> Names = [.. FieldNames(GatewayFileShape.Root)];

    public static FileShape.Object Of(FileShape.Object shape) =>
        new([.. shape.Fields.Where(f => !OfFiles.Contains(f.Name)).Select(f => f with { Name = Snake(f.Name), Shape = Of(f.Shape) })]);

    /// <summary>A value that was read along the API's shape, as one that was read along the file's.</summary>
    public static FileValue ToFile(FileValue value, FileShape shape) => shape switch
    {
        FileShape.Object o => new FileValue(
            o.Fields.Select(f => (f.Name, f.Shape, Value: value[Snake(f.Name)])).Where(f => f.Value is not null)
                .ToDictionary(f => f.Name, f => ToFile(f.Value!, f.Shape)),
            value.At),
        FileShape.List list => new FileValue(
            ((IReadOnlyList<FileValue>)value.Content).Select(item => ToFile(item, list.Item)).ToList(), value.At),
        _ => value,
    };

    public static string Snake(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{c}"));

    /// <summary>A sentence about the file in the API's words.</summary>
    public static string Words(string text) => OnlyInFiles().Replace(
        CamelCase().Replace(text, match => Names.Contains(match.Value) ? Snake(match.Value) : match.Value), "");

    private static FileShape Of(FileShape shape) => shape switch
    {
        FileShape.Object o => Of(o),
        FileShape.List list => list with { Item = Of(list.Item), UniqueBy = list.UniqueBy is null ? null : Snake(list.UniqueBy) },
        _ => shape,
    };

    private static IEnumerable<string> FieldNames(FileShape shape) => shape switch
    {
        FileShape.Object o => o.Fields.SelectMany(f => FieldNames(f.Shape).Prepend(f.Name)),
        FileShape.List list => FieldNames(list.Item),
        _ => [],
    };

    [GeneratedRegex("[a-z]+([A-Z][a-z]+)+", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex CamelCase();

    [GeneratedRegex(
        """(, neither in this file nor in the database|,? on line \d+|; see line \d+|(;|\.)? ?[Ww]rite "\$\{VARIABLE\}" to take it from the environment)""",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex OnlyInFiles();
}
