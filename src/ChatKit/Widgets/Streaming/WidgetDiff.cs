using System.Text.Json.Nodes;

namespace ChatKit.Widgets;

/// <summary>
/// What a client must be told so that one state of a widget becomes the next. Text that grows in a Text or Markdown node
/// with an id is sent as what was added; any other difference replaces the whole tree.
/// </summary>
public static class WidgetDiff
{
    private const string Children = "children";
    private const string Value = "value";

    /// <summary>Compares two states of a widget; records and JSON may be mixed.</summary>
    /// <returns>Nothing where they are the same; else either one <see cref="WidgetRootUpdated"/> or only <see cref="WidgetTextDelta"/>s.</returns>
    public static IReadOnlyList<ThreadItemUpdate> Between(WidgetRoot before, WidgetRoot after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);

        var tree = JsonOf(after);
        var grown = new List<WidgetTextDelta>();
        var same = OnlyGrew(JsonOf(before), tree, grown);

        // A client that finds two nodes of one id could append to the wrong one.
        return same && grown.TrueForAll(delta => CountOf(delta.ComponentId, tree) == 1) ? grown : [new WidgetRootUpdated { Widget = after }];
    }

    private static JsonObject JsonOf(WidgetRoot widget) =>
        widget is DynamicWidgetRoot dynamic ? dynamic.Json : (JsonObject)JsonNode.Parse(ChatKitJson.ToWire(widget))!;

    /// <summary>Whether two nodes differ in nothing but texts that can be streamed, which are added to the list.</summary>
    private static bool OnlyGrew(JsonObject before, JsonObject after, List<WidgetTextDelta> grown) =>
        before.Count == after.Count && before.All(member => after.TryGetPropertyValue(member.Key, out var other) && member.Key switch
        {
            Children => OnlyGrewBelow(member.Value, other, grown),
            Value => JsonNode.DeepEquals(member.Value, other) || TextGrew(before, after, grown),
            _ => JsonNode.DeepEquals(member.Value, other),
        });

    /// <summary>Children are a list, or one node (of a Transition), which the Python server forgets to look into.</summary>
    private static bool OnlyGrewBelow(JsonNode? before, JsonNode? after, List<WidgetTextDelta> grown) => (before, after) switch
    {
        (JsonObject node, JsonObject other) => OnlyGrew(node, other, grown),
        (JsonArray list, JsonArray others) => list.Count == others.Count && list.Zip(others).All(pair => OnlyGrewBelow(pair.First, pair.Second, grown)),
        _ => JsonNode.DeepEquals(before, after),
    };

    private static bool TextGrew(JsonObject before, JsonObject after, List<WidgetTextDelta> grown)
    {
        // Without an id there is no way to say where the text belongs: the Python server then sends nothing until the end.
        if (DynamicWidget.TextOf(after, "type") is not ("Text" or "Markdown")
            || DynamicWidget.TextOf(after, "id") is not { } id
            || DynamicWidget.TextOf(before, Value) is not { } had
            || DynamicWidget.TextOf(after, Value) is not { } has
            || !has.StartsWith(had, StringComparison.Ordinal))
        {
            return false;
        }

        var streaming = after["streaming"] is JsonValue value && value.TryGetValue<bool>(out var goesOn) && goesOn;
        grown.Add(new WidgetTextDelta { ComponentId = id, Delta = has[had.Length..], Done = !streaming });
        return true;
    }

    private static int CountOf(string id, JsonNode? node) => node switch
    {
        JsonObject json => (DynamicWidget.TextOf(json, "id") == id ? 1 : 0) + CountOf(id, json[Children]),
        JsonArray list => list.Sum(child => CountOf(id, child)),
        _ => 0,
    };
}
