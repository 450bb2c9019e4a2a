using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Bots.Egress;
using Gateway.Bots.Web;

namespace Gateway.Bots.Abilities;

/// <summary>A reply as a model reads it. Pure.</summary>
internal static class ReplyText
{
    /// <summary>Of a failed request's reply.</summary>
    private const int LongestError = 1_000;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ToolResult Of(EgressReply reply, string ability, string? pick, Concealment secrets)
    {
        if (reply.Status >= 400)
        {
            // The words behind the status are the server's own, as is the rest.
            var said = $"{OneLine(secrets.Conceal(reply.Reason))}\n{(IsText(reply) ? Text(reply) : "")}".Trim();
            said = secrets.Conceal(said, reply.IsCut);
            said = said.Length <= LongestError ? said : said[..LongestError] + "…";
            return ToolResult.Failed(
                $"The request failed with status {reply.Status}."
                + (said.Length == 0 ? "" : "\n" + DataText.Of($"reply to '{ability}'", said)));
        }

        if (reply.Body.Length == 0)
        {
            return new ToolResult($"Done: status {reply.Status}, the reply is empty.");
        }

        if (!IsText(reply))
        {
            return ToolResult.Failed($"The reply is of the type '{OneLine(reply.MediaType)}', which cannot be read as text.");
        }

        var (text, problem) = pick is null ? (Text(reply), null) : Picked(reply, pick);
        return problem is not null
            ? ToolResult.Failed(problem)
            : new ToolResult(DataText.Of(
                reply.IsCut ? $"reply to '{ability}', cut off after {reply.Body.Length} bytes" : $"reply to '{ability}'",
                secrets.Conceal(text!, reply.IsCut)));
    }

    private static (string? Text, string? Problem) Picked(EgressReply reply, string pointer)
    {
        if (reply.IsCut)
        {
            return (null, $"The reply is longer than {reply.Body.Length} bytes, so that nothing could be picked from it.");
        }

        try
        {
            using var json = JsonDocument.Parse(Text(reply));
            return JsonPointer.Find(json.RootElement, pointer) is { } found
                ? (found.ValueKind == JsonValueKind.String ? found.GetString() : JsonSerializer.Serialize(found, Plain), null)
                : (null, $"The reply has nothing at '{pointer}'.");
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException)
        {
            return (null, $"The reply is not JSON, so that nothing could be picked from it at '{pointer}'.");
        }
    }

    private static string Text(EgressReply reply)
    {
        var text = TextDecoding.Decode(reply.Body, reply.Charset, isHtml: IsHtml(reply.MediaType));
        return IsHtml(reply.MediaType) ? ReadablePage.Read(text, reply.Url).Text : text;
    }

    private static bool IsHtml(string type) => type is "text/html" or "application/xhtml+xml";

    /// <summary>By its type; by its bytes where no type is named.</summary>
    private static bool IsText(EgressReply reply) =>
        reply.MediaType.StartsWith("text/", StringComparison.Ordinal)
        || reply.MediaType.EndsWith("json", StringComparison.Ordinal)
        || reply.MediaType.EndsWith("xml", StringComparison.Ordinal)
        || reply.MediaType is "application/javascript" or "application/yaml" or "application/x-ndjson" or "application/x-www-form-urlencoded"
        || (reply.MediaType.Length == 0 && !reply.Body.AsSpan().Contains((byte)0));

    private static string OneLine(string text)
    {
        var line = new StringBuilder();
        foreach (var c in text.Take(80))
        {
            line.Append(char.IsControl(c) ? ' ' : c);
        }

        return line.ToString();
    }
}
