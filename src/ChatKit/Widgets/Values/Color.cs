using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>
/// A colour: a token (<c>secondary</c> for text, <c>surface-elevated</c> for a background, <c>subtle</c> for an edge …), a
/// primitive such as <c>red-100</c> or <c>gray-500</c>, CSS, or one for each theme. Text and <see cref="ThemeColor"/> convert to it.
/// </summary>
[JsonConverter(typeof(ColorConverter))]
public sealed record Color : WidgetValue
{
    private Color(object value)
        : base(value)
    {
    }

    /// <summary>A token, a primitive or CSS; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator Color?(string? value) => value is null ? null : new((object)value);

    /// <summary>One colour for each theme; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator Color?(ThemeColor? value) => value is null ? null : new((object)value);

    internal static Color? From(object value) => value is string or ThemeColor ? new(value) : null;
}

/// <summary>One colour for each theme.</summary>
/// <param name="Light">In the light theme.</param>
/// <param name="Dark">In the dark theme.</param>
public sealed record ThemeColor(string Light, string Dark);

internal sealed class ColorConverter : WidgetValueConverter<Color>
{
    protected override Color? Make(object value) => Color.From(value);

    protected override Type RecordOf(JsonElement value) => typeof(ThemeColor);
}
