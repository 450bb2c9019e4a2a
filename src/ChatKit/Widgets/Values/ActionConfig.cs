using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ChatKit.Widgets;

/// <summary>
/// What happens when the user acts on a node. The server gets the type and the payload, which also holds the values of the
/// form around the node, as a <see cref="WidgetAction"/>.
/// </summary>
/// <param name="Type">Your name for the action.</param>
public sealed record ActionConfig(string Type)
{
    /// <summary>Any JSON that the server gets back. Nulls in it are left out. Everybody can see and forge it.</summary>
    [JsonConverter(typeof(PayloadConverter))]
    public JsonNode? Payload { get; init; }

    /// <summary>Who handles it; the server by default.</summary>
    public ActionHandler? Handler { get; init; }

    /// <summary>What shows that it is under way; by place by default.</summary>
    public LoadingBehavior? LoadingBehavior { get; init; }

    /// <summary>
    /// True (the default): the answer is a stream, and the action must wait while another one runs. False: the answer is one
    /// document, and the action is allowed while a reply streams.
    /// </summary>
    public bool? Streaming { get; init; }

    /// <summary>An action whose payload is of a type of your own; <see cref="WidgetAction.PayloadAs{T}"/> reads it.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="type">Your name for the action.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="contract">Its source-generated contract, for instance <c>MyJson.Default.SavePayload</c>.</param>
    public static ActionConfig Of<T>(string type, T payload, JsonTypeInfo<T> contract) =>
        new(type) { Payload = JsonSerializer.SerializeToNode(payload, contract) };
}

/// <summary>A button of a card.</summary>
/// <param name="Label">What it says.</param>
/// <param name="Action">Fired when it is clicked.</param>
public sealed record CardAction(string Label, ActionConfig Action);

/// <summary>Writes a payload without nulls, as everything inside a widget.</summary>
internal sealed class PayloadConverter : JsonConverter<JsonNode>
{
    public override JsonNode? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonNode.Parse(ref reader);

    public override void Write(Utf8JsonWriter writer, JsonNode value, JsonSerializerOptions options) =>
        DynamicWidget.WithoutNulls(value)!.WriteTo(writer, options);
}
