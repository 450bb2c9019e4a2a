using Gateway.Bots.Datasets.Parsing;

namespace Gateway.ChatKit.Attachments;

/// <summary>Which files a bot can be given: pictures that models see, and what can be read as text.</summary>
internal static class AttachmentTypes
{
    private static readonly string[] Pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    public static string Expected { get; } =
        $"a picture ({string.Join(", ", Pictures)}) or a file whose name ends in one of: {string.Join(", ", FileParser.Formats.Select(f => "." + f))}";

    public static bool IsPicture(string mimeType) => Pictures.Contains(mimeType, StringComparer.OrdinalIgnoreCase);

    public static bool IsAllowed(string name, string mimeType) => IsPicture(mimeType) || FileParser.IsKnown(name);

    /// <summary>Whether bytes begin as the picture that they are said to be does.</summary>
    public static bool LooksLike(string mimeType, ReadOnlySpan<byte> content) => mimeType.ToLowerInvariant() switch
    {
        "image/png" => content.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']),
        "image/jpeg" => content.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]),
        "image/gif" => content.StartsWith("GIF8"u8),
        "image/webp" => content.StartsWith("RIFF"u8) && content.Length > 12 && content[8..].StartsWith("WEBP"u8),
        _ => true,
    };
}
