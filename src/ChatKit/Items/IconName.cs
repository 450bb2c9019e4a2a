using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit;

/// <summary>
/// The name of an icon: one of the 64 that clients have, or any name that starts with <c>vendor:</c> or <c>lucide:</c>.
/// Text converts to it: <c>Icon = "search"</c>.
/// </summary>
[JsonConverter(typeof(IconNameConverter))]
public sealed record IconName
{
    private static readonly FrozenSet<string> Names = new[]
    {
        "agent", "analytics", "atom", "batch", "bolt", "book-clock", "book-closed", "book-open", "bug", "calendar",
        "chart", "check", "check-circle", "check-circle-filled", "chevron-left", "chevron-right", "circle-question",
        "clock", "compass", "confetti", "cube", "desktop", "document", "dot", "dots-horizontal", "dots-vertical",
        "empty-circle", "external-link", "globe", "images", "info", "keys", "lab", "lifesaver", "lightbulb", "mail",
        "map-pin", "maps", "mobile", "name", "notebook", "notebook-pencil", "page-blank", "phone", "play", "plus",
        "profile", "profile-card", "reload", "search", "settings-slider", "sparkle", "sparkle-double", "square-code",
        "square-image", "square-text", "star", "star-filled", "suitcase", "user", "wreath", "write", "write-alt",
        "write-alt2",
    }.ToFrozenSet();

    private IconName(string value) => Value = value;

    /// <summary>The names that every client has.</summary>
    public static IReadOnlySet<string> All => Names;

    /// <summary>The name as it is sent.</summary>
    public string Value { get; }

    /// <summary>Makes an icon's name out of text; null stays null.</summary>
    /// <exception cref="ArgumentException">There is no such icon.</exception>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator IconName?(string? value) => value is null ? null : FromString(value);

    /// <summary>Makes an icon's name out of text.</summary>
    /// <exception cref="ArgumentException">There is no such icon.</exception>
    public static IconName FromString(string value) =>
        TryParse(value, out var icon) ? icon : throw new ArgumentException($"There is no icon '{value}'.", nameof(value));

    /// <summary>Makes an icon's name out of text; false when there is no such icon.</summary>
    public static bool TryParse([NotNullWhen(true)] string? value, [NotNullWhen(true)] out IconName? icon)
    {
        var known = value is not null
            && (Names.Contains(value) || value.StartsWith("vendor:", StringComparison.Ordinal) || value.StartsWith("lucide:", StringComparison.Ordinal));
        icon = known ? new IconName(value!) : null;
        return known;
    }

    /// <summary>The name as it is sent.</summary>
    public override string ToString() => Value;
}

internal sealed class IconNameConverter : JsonConverter<IconName>
{
    public override IconName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && IconName.TryParse(reader.GetString(), out var icon)
            ? icon
            : throw new JsonException("must be the name of an icon");

    public override void Write(Utf8JsonWriter writer, IconName value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}
