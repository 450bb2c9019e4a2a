using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>Room on each side, in units of spacing or CSS. What is null is left to the client.</summary>
public sealed record Spacing
{
    /// <summary>Above.</summary>
    public Length? Top { get; init; }

    /// <summary>On the right.</summary>
    public Length? Right { get; init; }

    /// <summary>Below.</summary>
    public Length? Bottom { get; init; }

    /// <summary>On the left.</summary>
    public Length? Left { get; init; }

    /// <summary>On the left and the right.</summary>
    public Length? X { get; init; }

    /// <summary>Above and below.</summary>
    public Length? Y { get; init; }
}

/// <summary>Room on all sides: a number of units of spacing, CSS, or <see cref="Spacing"/>, which all convert to it.</summary>
[JsonConverter(typeof(SpacingValueConverter))]
public sealed record SpacingValue : WidgetValue
{
    private SpacingValue(object value)
        : base(value)
    {
    }

    /// <summary>Units of spacing on all sides.</summary>
    public static implicit operator SpacingValue(double value) => FromDouble(value);

    /// <summary>CSS; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator SpacingValue?(string? value) => value is null ? null : new((object)value);

    /// <summary>Each side by itself; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator SpacingValue?(Spacing? value) => value is null ? null : new((object)value);

    /// <summary>Units of spacing on all sides.</summary>
    public static SpacingValue FromDouble(double value) => new((object)value);

    internal static SpacingValue? From(object value) => value is double or string or Spacing ? new(value) : null;
}

internal sealed class SpacingValueConverter : WidgetValueConverter<SpacingValue>
{
    protected override SpacingValue? Make(object value) => SpacingValue.From(value);

    protected override Type RecordOf(JsonElement value) => typeof(Spacing);
}
