using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>An edge.</summary>
/// <param name="Size">Pixels.</param>
public sealed record Border(double Size)
{
    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How it is drawn.</summary>
    public BorderStyle? Style { get; init; }
}

/// <summary>The edge of each side. What is null has none.</summary>
public sealed record Borders
{
    /// <summary>Above.</summary>
    public BorderSide? Top { get; init; }

    /// <summary>On the right.</summary>
    public BorderSide? Right { get; init; }

    /// <summary>Below.</summary>
    public BorderSide? Bottom { get; init; }

    /// <summary>On the left.</summary>
    public BorderSide? Left { get; init; }

    /// <summary>On the left and the right.</summary>
    public BorderSide? X { get; init; }

    /// <summary>Above and below.</summary>
    public BorderSide? Y { get; init; }
}

/// <summary>The edge of one side: pixels or a <see cref="Border"/>, which both convert to it.</summary>
[JsonConverter(typeof(BorderSideConverter))]
public sealed record BorderSide : WidgetValue
{
    private BorderSide(object value)
        : base(value)
    {
    }

    /// <summary>Pixels.</summary>
    public static implicit operator BorderSide(double value) => FromDouble(value);

    /// <summary>A border; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator BorderSide?(Border? value) => value is null ? null : new((object)value);

    /// <summary>Pixels.</summary>
    public static BorderSide FromDouble(double value) => new((object)value);

    internal static BorderSide? From(object value) => value is double or Border ? new(value) : null;
}

internal sealed class BorderSideConverter : WidgetValueConverter<BorderSide>
{
    protected override BorderSide? Make(object value) => BorderSide.From(value);

    protected override Type RecordOf(JsonElement value) => typeof(Border);
}

/// <summary>The edges: pixels, one <see cref="Border"/> for all sides, or <see cref="Borders"/>, which all convert to it.</summary>
[JsonConverter(typeof(BorderValueConverter))]
public sealed record BorderValue : WidgetValue
{
    private BorderValue(object value)
        : base(value)
    {
    }

    /// <summary>Pixels on all sides.</summary>
    public static implicit operator BorderValue(double value) => FromDouble(value);

    /// <summary>One border for all sides; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator BorderValue?(Border? value) => value is null ? null : new((object)value);

    /// <summary>Each side by itself; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator BorderValue?(Borders? value) => value is null ? null : new((object)value);

    /// <summary>Pixels on all sides.</summary>
    public static BorderValue FromDouble(double value) => new((object)value);

    internal static BorderValue? From(object value) => value is double or Border or Borders ? new(value) : null;
}

internal sealed class BorderValueConverter : WidgetValueConverter<BorderValue>
{
    protected override BorderValue? Make(object value) => BorderValue.From(value);

    protected override Type RecordOf(JsonElement value) => value.TryGetProperty("size", out _) ? typeof(Border) : typeof(Borders);
}
