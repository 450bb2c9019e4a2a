using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>A line above a widget.</summary>
/// <param name="Text">The line.</param>
[JsonConverter(typeof(WidgetStatusConverter))]
public abstract record WidgetStatus(string Text);

/// <summary>A line with the icon of a site.</summary>
/// <param name="Text">The line.</param>
public sealed record FaviconStatus(string Text) : WidgetStatus(Text)
{
    /// <summary>The URL of the site's icon.</summary>
    public string? Favicon { get; init; }

    /// <summary>Whether the icon has a thin edge.</summary>
    public bool? Frame { get; init; }
}

/// <summary>A line with an icon.</summary>
/// <param name="Text">The line.</param>
public sealed record IconStatus(string Text) : WidgetStatus(Text)
{
    /// <summary>The icon.</summary>
    public IconName? Icon { get; init; }
}

/// <summary>The two have no <c>type</c>: the presence of <c>icon</c> tells them apart.</summary>
internal sealed class WidgetStatusConverter : JsonConverter<WidgetStatus>
{
    public override WidgetStatus? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var status = document.RootElement;
        var kind = status.ValueKind == JsonValueKind.Object && status.TryGetProperty("icon", out _) ? typeof(IconStatus) : typeof(FaviconStatus);
        return (WidgetStatus?)status.Deserialize(WidgetJson.ContractOf(kind));
    }

    public override void Write(Utf8JsonWriter writer, WidgetStatus value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, WidgetJson.ContractOf(value.GetType()));
}
