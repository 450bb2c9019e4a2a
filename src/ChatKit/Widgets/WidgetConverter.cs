using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>Reads and writes the nodes of widgets, leniently: what is not known is kept as it is.</summary>
/// <typeparam name="TNode"><see cref="WidgetRoot"/> or <see cref="WidgetComponent"/>.</typeparam>
internal sealed class WidgetConverter<TNode> : JsonConverter<TNode>
    where TNode : WidgetNode
{
    public override TNode Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            if (JsonNode.Parse(ref reader) is JsonObject json)
            {
                return (TNode)(typeof(TNode) == typeof(WidgetRoot) ? (WidgetNode)new DynamicWidgetRoot(json) : new DynamicWidgetComponent(json));
            }
        }
        catch (ArgumentException e)
        {
            // No type or not a root, or two members of one name.
            throw new JsonException(e.Message, e);
        }

        throw new JsonException("must be a node of a widget");
    }

    public override void Write(Utf8JsonWriter writer, TNode value, JsonSerializerOptions options)
    {
        var json = value switch
        {
            DynamicWidgetRoot root => root.Json,
            DynamicWidgetComponent component => component.Json,
            _ => throw new NotSupportedException($"{value.GetType()} is not a node of a widget."),
        };
        json.WriteTo(writer, options);
    }
}
