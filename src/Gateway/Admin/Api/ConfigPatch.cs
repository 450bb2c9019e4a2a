using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Http;

namespace Gateway.Admin.Api;

/// <summary>A change of an object as its caller sent it, beside the object as it is shown.</summary>
internal static class ConfigPatch
{
    /// <summary>Why it is refused: it would change what is only shown, or who the object is. Null: it may go on.</summary>
    public static ApiError? Read(FileShape.Object shape, string idField, YamlMap body, JsonObject shown)
    {
        foreach (var entry in body.Entries)
        {
            var isField = IsField(shape, entry.Key);
            if ((!isField || entry.Key == idField)
                && shown.TryGetPropertyValue(entry.Key, out var current) && !ApiBody.IsSame(Node(current), entry.Value))
            {
                return ApiError.ReadOnly(
                    entry.Key, isField ? "it is the object's identity; make another and delete this one." : "it is only shown.");
            }
        }

        return null;
    }

    /// <summary>The change without what is only shown, so that what was read can be sent back.</summary>
    public static YamlMap OnlyFields(FileShape.Object shape, YamlMap body, JsonObject shown) =>
        body.Without(e => shown.ContainsKey(e.Key) && !IsField(shape, e.Key));

    /// <summary>The object as its own body would be.</summary>
    public static YamlNode Current(ConfigKind kind, JsonObject shown) =>
        ApiBody.Merge(null, kind.Tidy(OnlyFields(kind.Shape, (YamlMap)Node(shown), shown)), kind.Shape);

    public static YamlNode Node(JsonNode? value)
    {
        using var json = JsonDocument.Parse(value?.ToJsonString() ?? "null");
        return ApiBody.Node(json.RootElement);
    }

    private static bool IsField(FileShape.Object shape, string name) => shape.Fields.Any(f => f.Name == name);
}
