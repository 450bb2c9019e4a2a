using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.Bots.Abilities;

/// <summary>What a tool takes. Immutable; safe for concurrent use.</summary>
internal sealed class ArgumentSchema
{
    private const int LongestShape = 2_000;

    private readonly JsonElement _root;
    private readonly ConcurrentDictionary<string, Regex?> _patterns = new(StringComparer.Ordinal);

    /// <param name="schema">Cloned.</param>
    public ArgumentSchema(JsonElement schema)
    {
        _root = schema.Clone();
        Json = JsonSerializer.SerializeToUtf8Bytes(ObjectSchema(_root));
    }

    /// <summary>As the model is shown it, UTF-8.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>What is wrong with arguments, for the model, with what was expected; null: nothing.</summary>
    public string? Mistakes(JsonElement arguments)
    {
        var check = new SchemaCheck(_root, _patterns);
        if (arguments.ValueKind != JsonValueKind.Object)
        {
            return Explain([$"the arguments: expected an object, got {SchemaTypes.Name(arguments)}"]);
        }

        check.Check(_root, arguments, "");
        return check.Mistakes.Count == 0 ? null : Explain(check.Mistakes);
    }

    private string Explain(IReadOnlyList<string> mistakes)
    {
        var shape = _root.GetRawText();
        return $"Nothing was run: the arguments do not fit.\n- {string.Join("\n- ", mistakes)}\n"
            + $"Expected are arguments of this JSON Schema: {(shape.Length <= LongestShape ? shape : shape[..LongestShape] + "…")}";
    }

    /// <summary>Providers want to see an object, even one of nothing.</summary>
    private static JsonObject ObjectSchema(JsonElement schema)
    {
        var shown = schema.ValueKind == JsonValueKind.Object ? JsonObject.Create(schema)! : [];
        shown["type"] = "object";
        shown["properties"] ??= new JsonObject();
        return shown;
    }
}
