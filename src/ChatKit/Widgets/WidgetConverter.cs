using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>
/// Reads a node as the record of its type where it fits one, else as a dynamic node that keeps it as it is: one odd member
/// costs the type of its node, not of the tree. Never writes null, and drops the nulls of what it reads.
/// </summary>
/// <typeparam name="TNode"><see cref="WidgetRoot"/>, <see cref="WidgetComponent"/>, or either.</typeparam>
internal sealed class WidgetConverter<TNode> : JsonConverter<TNode>
    where TNode : WidgetNode
{
    public override TNode Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var json = document.RootElement;
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
        {
            throw new JsonException("must be a node of a widget, with its type");
        }

        try
        {
            var clean = HoldsNull(json) ? JsonSerializer.SerializeToElement(DynamicWidget.WithoutNulls(JsonObject.Create(json)), options) : json;
            var kind = WidgetJson.KindOf(type.GetString());
            var node = kind is not null && kind.IsAssignableTo(typeof(TNode)) ? WidgetJson.TryRead(clean, kind) : null;
            return (TNode)(node ?? Dynamic(JsonObject.Create(clean.Clone())!, type.GetString()!));
        }
        catch (ArgumentException e)
        {
            // Not a root, or two members of one name.
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, TNode value, JsonSerializerOptions options)
    {
        switch (value)
        {
            case DynamicWidgetRoot root:
                root.Json.WriteTo(writer, options);
                break;
            case DynamicWidgetComponent component:
                component.Json.WriteTo(writer, options);
                break;
            default:
                JsonSerializer.Serialize(writer, value, WidgetJson.ContractOf(value.GetType()));
                break;
        }
    }

    private static WidgetNode Dynamic(JsonObject json, string type) =>
        typeof(TNode) == typeof(WidgetRoot) || (typeof(TNode) == typeof(WidgetNode) && DynamicWidgetRoot.Types.Contains(type))
            ? new DynamicWidgetRoot(json)
            : new DynamicWidgetComponent(json);

    private static bool HoldsNull(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Object => json.EnumerateObject().Any(member => HoldsNull(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().Any(HoldsNull),
        _ => false,
    };
}
