using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>
/// One node of a widget's tree. Nodes are immutable; members that are null are not sent, and what the client then does is
/// its own choice.
/// </summary>
[JsonConverter(typeof(WidgetConverter<WidgetNode>))]
public abstract record WidgetNode
{
    private protected WidgetNode(string type) => Type = type;

    /// <summary>The kind of node, for instance <c>Text</c>.</summary>
    [JsonPropertyOrder(-3)]
    public string Type { get; }

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
    private protected WidgetRoot(string type)
        : base(type)
    {
    }
}

/// <summary>A node inside a widget.</summary>
[JsonConverter(typeof(WidgetConverter<WidgetComponent>))]
public abstract record WidgetComponent : WidgetNode
{
    private protected WidgetComponent(string type)
        : base(type)
    {
    }
}

/// <summary>Lists of nodes.</summary>
internal static class Nodes
{
    /// <summary>The list without elements that are null, so that a child can be written as <c>condition ? node : null!</c>.</summary>
    [return: NotNullIfNotNull(nameof(nodes))]
    public static IReadOnlyList<TNode>? WithoutNulls<TNode>(IReadOnlyList<TNode>? nodes)
        where TNode : WidgetNode => nodes is null || nodes.All(node => node is not null) ? nodes : [.. nodes.Where(node => node is not null)];
}
