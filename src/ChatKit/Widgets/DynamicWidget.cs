using System.Text.Json.Nodes;

namespace ChatKit.Widgets;

/// <summary>A widget as JSON: for trees that come from elsewhere, and for nodes and members that this library does not know. Nothing is lost but nulls.</summary>
public sealed record DynamicWidgetRoot : WidgetRoot
{
    /// <summary>The types that a root may have.</summary>
    internal static readonly string[] Types = ["Card", "ListView", "Basic"];

    /// <param name="json">The tree. It is copied, without nulls.</param>
    /// <exception cref="ArgumentException">Its <c>type</c> is not <c>Card</c>, <c>ListView</c> or <c>Basic</c>.</exception>
    public DynamicWidgetRoot(JsonObject json)
        : base(DynamicWidget.TypeOf(json))
    {
        Json = DynamicWidget.Copy(json);
        if (!Types.Contains(Type))
        {
            throw new ArgumentException($"The type of a widget must be one of {string.Join(", ", Types)}.", nameof(json));
        }
    }

    /// <summary>The tree, without nulls. Not to be changed.</summary>
    public JsonObject Json { get; private init; }

    /// <inheritdoc/>
    public override string? Key
    {
        get => DynamicWidget.TextOf(Json, "key");
        init => Json = DynamicWidget.With(Json, "key", value);
    }

    /// <inheritdoc/>
    public override string? Id
    {
        get => DynamicWidget.TextOf(Json, "id");
        init => Json = DynamicWidget.With(Json, "id", value);
    }

    /// <summary>Whether the trees are the same, whatever the order of members.</summary>
    public bool Equals(DynamicWidgetRoot? other) => other is not null && JsonNode.DeepEquals(Json, other.Json);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Id, Json.Count);
}

/// <summary>A node as JSON: for nodes that this library does not know, or whose members it does not. Nothing is lost but nulls.</summary>
public sealed record DynamicWidgetComponent : WidgetComponent
{
    /// <param name="json">The node. It is copied, without nulls.</param>
    /// <exception cref="ArgumentException">It has no text as <c>type</c>.</exception>
    public DynamicWidgetComponent(JsonObject json)
        : base(DynamicWidget.TypeOf(json)) => Json = DynamicWidget.Copy(json);

    /// <summary>The node and what is below it, without nulls. Not to be changed.</summary>
    public JsonObject Json { get; private init; }

    /// <inheritdoc/>
    public override string? Key
    {
        get => DynamicWidget.TextOf(Json, "key");
        init => Json = DynamicWidget.With(Json, "key", value);
    }

    /// <inheritdoc/>
    public override string? Id
    {
        get => DynamicWidget.TextOf(Json, "id");
        init => Json = DynamicWidget.With(Json, "id", value);
    }

    /// <summary>Whether the nodes are the same, whatever the order of members.</summary>
    public bool Equals(DynamicWidgetComponent? other) => other is not null && JsonNode.DeepEquals(Json, other.Json);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Id, Json.Count);
}

/// <summary>What both kinds of dynamic nodes do with their JSON.</summary>
internal static class DynamicWidget
{
    public static string TypeOf(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return TextOf(json, "type") ?? throw new ArgumentException("A node of a widget must have a type.", nameof(json));
    }

    public static string? TextOf(JsonObject json, string member) =>
        json[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public static JsonObject With(JsonObject json, string member, string? value)
    {
        var copy = Copy(json);
        if (value is null)
        {
            copy.Remove(member);
        }
        else
        {
            copy[member] = value;
        }

        return copy;
    }

    public static JsonObject Copy(JsonObject json) => (JsonObject)WithoutNulls(json)!;

    /// <summary>A copy without null members and null elements, at any depth: inside a widget nothing is ever sent as null.</summary>
    public static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject json => new JsonObject(json.Where(member => member.Value is not null)
            .Select(member => KeyValuePair.Create(member.Key, WithoutNulls(member.Value)))),
        JsonArray list => new JsonArray([.. list.Where(element => element is not null).Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };
}
