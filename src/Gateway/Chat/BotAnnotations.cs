using System.Text.Json;
using Gateway.Bots;

namespace Gateway.Chat;

/// <summary>Writes what an answer refers to as OpenAI's <c>annotations</c>.</summary>
internal static class BotAnnotations
{
    public static void Write(Utf8JsonWriter json, IReadOnlyList<BotEvent.Cited> citations)
    {
        json.WriteStartArray("annotations");
        foreach (var (start, end, source) in citations)
        {
            // OpenAI's schema of a chat completion knows sources with an address alone; the other kind is named as elsewhere in its API.
            var type = source.Url is null ? "file_citation" : "url_citation";
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteStartObject(type);
            json.WriteNumber("start_index", start);
            json.WriteNumber("end_index", end);
            json.WriteString("title", source.Title);
            if (source.Url is { } url)
            {
                json.WriteString("url", url);
            }
            else
            {
                json.WriteString("file_id", source.FileId);
                json.WriteString("filename", source.FileName);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
