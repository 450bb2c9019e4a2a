using System.Diagnostics.CodeAnalysis;

namespace Gateway.Admin.File;

/// <summary>Either the file or everything that is wrong with it, in the order of its lines.</summary>
internal sealed record GatewayFileResult(GatewayFile? File, IReadOnlyList<FileError> Errors)
{
    [MemberNotNullWhen(true, nameof(File))]
    public bool IsValid => File is not null;
}

/// <summary>
/// Reads <c>gateway.yaml</c>. Pure: whoever applies it looks up <see cref="GatewayFile.References"/> in the database.
/// </summary>
internal static class GatewayFileReader
{
    /// <param name="yaml">UTF-8, with or without a byte order mark.</param>
    /// <param name="environment">The value of a variable, or null when it is not set.</param>
    public static GatewayFileResult Read(ReadOnlySpan<byte> yaml, Func<string, string?> environment)
    {
        var (text, error) = YamlText.Decode(yaml);
        return text is null ? new GatewayFileResult(null, [error!]) : Read(text, environment);
    }

    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, Func{string, string?})"/>
    public static GatewayFileResult Read(string yaml, Func<string, string?> environment)
    {
        var (root, syntax) = YamlText.Parse(yaml);
        if (root is null)
        {
            return new GatewayFileResult(null, [syntax!]);
        }

        var errors = new List<FileError>();
        var value = new FileWalk(environment, errors).Read(root, GatewayFileShape.Root, new FilePlace(root.Line, ""));
        if (value is not null)
        {
            FileRules.Check(value, errors);
        }

        return errors.Count == 0
            ? new GatewayFileResult(FileRecords.Make(value!), [])
            : new GatewayFileResult(null, [.. errors.OrderBy(e => e.Line)]);
    }
}
