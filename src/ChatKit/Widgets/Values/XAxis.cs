using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>The horizontal axis of a chart: the name of its field, or an <see cref="XAxisConfig"/>. Both convert to it.</summary>
[JsonConverter(typeof(XAxisConverter))]
public sealed record XAxis : WidgetValue
{
    private XAxis(object value)
        : base(value)
    {
    }

    /// <summary>The name of its field; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator XAxis?(string? value) => value is null ? null : new((object)value);

    /// <summary>All about it; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator XAxis?(XAxisConfig? value) => value is null ? null : new((object)value);

    internal static XAxis? From(object value) => value is string or XAxisConfig ? new(value) : null;
}

internal sealed class XAxisConverter : WidgetValueConverter<XAxis>
{
    protected override XAxis? Make(object value) => XAxis.From(value);

    protected override Type RecordOf(JsonElement value) => typeof(XAxisConfig);
}
