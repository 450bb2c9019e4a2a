using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>Turns a model's message into the content of an assistant message.</summary>
public static class ModelMessages
{
    /// <summary>
    /// The parts of a message that a model has finished, in the shape of OpenAI's chat completions or responses. Its id is not
    /// taken over: some providers give every message the same one.
    /// </summary>
    /// <param name="message">
    /// <c>content</c> is text or a list of parts with <c>text</c>; a <c>refusal</c> counts as text. <c>annotations</c> stand in
    /// the message (then they belong to the first part) or in a part. Anything else, tool calls for instance, is left out.
    /// </param>
    public static IReadOnlyList<AssistantMessageContent> ContentOf(JsonObject message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var parts = message["content"] switch
        {
            JsonValue => [Part(Text(message["content"]) ?? string.Empty, message)],
            JsonArray list => [.. list.OfType<JsonObject>().Select(PartOf).OfType<AssistantMessageContent>()],
            _ => new List<AssistantMessageContent>(),
        };
        if (parts.Count == 0 && Text(message["refusal"]) is { } refusal)
        {
            parts.Add(Part(refusal, message));
        }
        else if (message["content"] is JsonArray && parts.Count > 0 && message["annotations"] is not null)
        {
            parts[0] = parts[0] with { Annotations = [.. parts[0].Annotations, .. AnnotationsOf(message["annotations"] as JsonArray)] };
        }

        return parts;
    }

    /// <summary>
    /// A model's citations as annotations. A file without a name is left out, since there is nothing to show, and so is what
    /// is no citation (<c>file_path</c>). Flat citations and nested ones (<c>{"type":"url_citation","url_citation":{…}}</c>) are read.
    /// </summary>
    /// <param name="annotations">The model's list; null counts as empty.</param>
    public static IReadOnlyList<Annotation> AnnotationsOf(JsonArray? annotations) =>
        [.. (annotations ?? []).OfType<JsonObject>().Select(AnnotationOf).OfType<Annotation>()];

    private static AssistantMessageContent? PartOf(JsonObject part) =>
        (Text(part["text"]) ?? Text(part["refusal"])) is { } text ? Part(text, part) : null;

    private static AssistantMessageContent Part(string text, JsonObject holder) =>
        new() { Text = text, Annotations = AnnotationsOf(holder["annotations"] as JsonArray) };

    private static Annotation? AnnotationOf(JsonObject annotation)
    {
        var type = Text(annotation["type"]);
        var citation = type is not null && annotation[type] is JsonObject nested ? nested : annotation;
        return type switch
        {
            "url_citation" when Text(citation["url"]) is { } url => new Annotation
            {
                Source = new UrlSource { Title = Text(citation["title"]) is { Length: > 0 } title ? title : url, Url = url },
                Index = Number(citation["end_index"]),
            },
            "file_citation" => File(citation, "index"),
            "container_file_citation" => File(citation, "end_index"),
            _ => null,
        };
    }

    private static Annotation? File(JsonObject citation, string index) => Text(citation["filename"]) is { Length: > 0 } name
        ? new Annotation { Source = new FileSource { Title = name, Filename = name }, Index = Number(citation[index]) ?? Number(citation["end_index"]) }
        : null;

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static int? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}
