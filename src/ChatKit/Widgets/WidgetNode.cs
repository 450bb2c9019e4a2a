using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>One node of a widget's tree. Nodes are immutable.</summary>
public abstract record WidgetNode
{
    private protected WidgetNode()
    {
    }

    /// <summary>The kind of node, for instance <c>Text</c>.</summary>
    [JsonPropertyOrder(-3)]
    public abstract string Type { get; }

    /// <summary>Tells a node from its siblings where their number or order changes.</summary>
    [JsonPropertyOrder(-2)]
    public virtual string? Key { get; init; }

    /// <summary>Names the node within its widget: text can only be streamed into a node that has one.</summary>
    [JsonPropertyOrder(-1)]
    public virtual string? Id { get; init; }
}

/// <summary>A node that can be a whole widget: a card, a list, or a plain container.</summary>
[JsonConverter(typeof(WidgetConverter<WidgetRoot>))]
public abstract record WidgetRoot : WidgetNode
{
    private protected WidgetRoot()
    {
    }
}

/// <summary>A node inside a widget.</summary>
[JsonConverter(typeof(WidgetConverter<WidgetComponent>))]
public abstract record WidgetComponent : WidgetNode
{
    private protected WidgetComponent()
    {
    }
}
