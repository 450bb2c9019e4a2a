using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>A value that is one of several JSON types, for instance a number or text. The types that it may be convert to it.</summary>
public abstract record WidgetValue
{
    // Whoever calls a constructor with what converts to the record must name the type object: the record's copy constructor
    // is the better match otherwise, and the conversion calls itself.
    private protected WidgetValue(object value) => Value = value;

    /// <summary>A <see cref="double"/>, a <see cref="string"/>, a <see cref="bool"/>, or a record with a contract of its own.</summary>
    internal object Value { get; }

    /// <summary>The value as text.</summary>
    public sealed override string ToString() => Convert.ToString(Value, CultureInfo.InvariantCulture)!;
}

/// <summary>Reads and writes values of one kind by the JSON type that they happen to have.</summary>
internal abstract class WidgetValueConverter<TValue> : JsonConverter<TValue>
    where TValue : WidgetValue
{
    public override TValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var value = reader.TokenType switch
        {
            JsonTokenType.Number => (object)reader.GetDouble(),
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.False => false,
            JsonTokenType.StartObject => ReadObject(ref reader),
            _ => null,
        };
        return value is not null && Make(value) is { } made ? made : throw new JsonException($"is no {typeof(TValue).Name}");
    }

    public override void Write(Utf8JsonWriter writer, TValue value, JsonSerializerOptions options)
    {
        switch (value.Value)
        {
            case double number:
                writer.WriteNumberValue(number);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            default:
                JsonSerializer.Serialize(writer, value.Value, WidgetJson.ContractOf(value.Value.GetType()));
                break;
        }
    }

    /// <summary>The value, or null when this kind cannot be what was read.</summary>
    protected abstract TValue? Make(object value);

    /// <summary>The record that an object is read as; null when this kind cannot be an object.</summary>
    protected virtual Type? RecordOf(JsonElement value) => null;

    private object? ReadObject(ref Utf8JsonReader reader)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return RecordOf(document.RootElement) is { } record ? document.RootElement.Deserialize(WidgetJson.ContractOf(record)) : null;
    }
}

/// <summary>
/// A number or text. A number means pixels where it is a dimension, and units of spacing where it is a gap, a padding or a
/// margin; text is CSS. Both convert to it: <c>Width = 200</c>, <c>Width = "50%"</c>.
/// </summary>
[JsonConverter(typeof(LengthConverter))]
public sealed record Length : WidgetValue
{
    private Length(object value)
        : base(value)
    {
    }

    /// <summary>Pixels or units of spacing.</summary>
    public static implicit operator Length(double value) => FromDouble(value);

    /// <summary>CSS; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator Length?(string? value) => value is null ? null : new((object)value);

    /// <summary>Pixels or units of spacing.</summary>
    public static Length FromDouble(double value) => new((object)value);

    internal static Length? From(object value) => value is double or string ? new(value) : null;
}

internal sealed class LengthConverter : WidgetValueConverter<Length>
{
    protected override Length? Make(object value) => Length.From(value);
}

/// <summary>One value of a chart's point: a number or text, which both convert to it.</summary>
[JsonConverter(typeof(ChartValueConverter))]
public sealed record ChartValue : WidgetValue
{
    private ChartValue(object value)
        : base(value)
    {
    }

    /// <summary>A number.</summary>
    public static implicit operator ChartValue(double value) => FromDouble(value);

    /// <summary>Text; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator ChartValue?(string? value) => value is null ? null : new((object)value);

    /// <summary>A number.</summary>
    public static ChartValue FromDouble(double value) => new((object)value);

    internal static ChartValue? From(object value) => value is double or string ? new(value) : null;
}

internal sealed class ChartValueConverter : WidgetValueConverter<ChartValue>
{
    protected override ChartValue? Make(object value) => ChartValue.From(value);
}

/// <summary>How many rows a list shows: a number, which converts to it, or <see cref="Auto"/>.</summary>
[JsonConverter(typeof(ListLimitConverter))]
public sealed record ListLimit : WidgetValue
{
    private const string AutoText = "auto";

    private ListLimit(object value)
        : base(value)
    {
    }

    /// <summary>As many as the client finds good.</summary>
    public static ListLimit Auto { get; } = new(AutoText);

    /// <summary>A number of rows.</summary>
    public static implicit operator ListLimit(int value) => FromInt32(value);

    /// <summary>A number of rows.</summary>
    public static ListLimit FromInt32(int value) => new((object)(double)value);

    internal static ListLimit? From(object value) => value is double || AutoText.Equals(value) ? new(value) : null;
}

internal sealed class ListLimitConverter : WidgetValueConverter<ListLimit>
{
    protected override ListLimit? Make(object value) => ListLimit.From(value);
}
