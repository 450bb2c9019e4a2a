using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ChatKit.Widgets;

/// <summary>Contracts of widgets: camelCase, and strict, because a node that does not fit its record is kept as JSON instead.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 256)]
[JsonSerializable(typeof(Card))]
[JsonSerializable(typeof(ListView))]
[JsonSerializable(typeof(ListViewItem))]
[JsonSerializable(typeof(Basic))]
[JsonSerializable(typeof(Box))]
[JsonSerializable(typeof(Row))]
[JsonSerializable(typeof(Col))]
[JsonSerializable(typeof(Form))]
[JsonSerializable(typeof(Spacer))]
[JsonSerializable(typeof(Divider))]
[JsonSerializable(typeof(Transition))]
[JsonSerializable(typeof(Text))]
[JsonSerializable(typeof(Title))]
[JsonSerializable(typeof(Caption))]
[JsonSerializable(typeof(Markdown))]
[JsonSerializable(typeof(Badge))]
[JsonSerializable(typeof(Icon))]
[JsonSerializable(typeof(Image))]
[JsonSerializable(typeof(Button))]
[JsonSerializable(typeof(Input))]
[JsonSerializable(typeof(Textarea))]
[JsonSerializable(typeof(Select))]
[JsonSerializable(typeof(DatePicker))]
[JsonSerializable(typeof(Checkbox))]
[JsonSerializable(typeof(RadioGroup))]
[JsonSerializable(typeof(Label))]
[JsonSerializable(typeof(Chart))]
[JsonSerializable(typeof(Table))]
[JsonSerializable(typeof(TableRow))]
[JsonSerializable(typeof(TableCell))]
[JsonSerializable(typeof(ThemeColor))]
[JsonSerializable(typeof(Spacing))]
[JsonSerializable(typeof(Border))]
[JsonSerializable(typeof(Borders))]
[JsonSerializable(typeof(XAxisConfig))]
[JsonSerializable(typeof(EditableProps))]
[JsonSerializable(typeof(FaviconStatus))]
[JsonSerializable(typeof(IconStatus))]
internal sealed partial class WidgetJsonContext : JsonSerializerContext;

/// <summary>Which record has which contract.</summary>
internal static class WidgetJson
{
    private const string Row = "Table.Row";
    private const string Cell = "Table.Cell";

    private static readonly Dictionary<string, Type> Kinds = typeof(WidgetNode).Assembly.GetTypes()
        .Where(type => type.IsSealed && type.IsAssignableTo(typeof(WidgetNode)) && type != typeof(DynamicWidgetRoot) && type != typeof(DynamicWidgetComponent))
        .ToDictionary(type => type == typeof(TableRow) ? Row : type == typeof(TableCell) ? Cell : type.Name);

    /// <summary>The record of a kind of node; null when there is none.</summary>
    public static Type? KindOf(string? type) => type is null ? null : Kinds.GetValueOrDefault(type);

    public static JsonTypeInfo ContractOf(Type type) =>
        WidgetJsonContext.Default.GetTypeInfo(type) ?? throw new NotSupportedException($"{type} has no contract.");

    /// <summary>Reads a node as its record; null when it does not fit: another kind, other members, other values.</summary>
    public static WidgetNode? TryRead(JsonElement json, Type kind)
    {
        try
        {
            return (WidgetNode?)json.Deserialize(ContractOf(kind));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
