using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Bots.Abilities;
using Gateway.Bots.Datasets.Parsing;
using Gateway.Bots.Egress;

namespace Gateway.Bots.Web;

/// <summary><c>fetch_page</c>: reads a page as text. The page is a source that the answer may name.</summary>
internal sealed class FetchPageTool(EgressGuard guard) : BotTool
{
    private const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Of the text that one call gives; the rest comes with <c>start</c>.</summary>
    private const int MostCharacters = 16_000;

    private static readonly ArgumentSchema Schema = new(JsonElement.Parse("""
        {"type":"object","properties":{
          "url":{"type":"string","minLength":1,"maxLength":4000,"description":"The whole address, such as https://example.com/page."},
          "start":{"type":"integer","minimum":0,"description":"Character to begin at, to read on in a long page."}},
         "required":["url"],"additionalProperties":false}
        """));

    private static readonly EgressHeader[] Headers =
        [new("accept", "text/html,application/xhtml+xml,text/plain,application/json;q=0.9,*/*;q=0.5", HoldsSecret: false)];

    public override string Name => "fetch_page";

    public override ToolKind Kind => ToolKind.WebPage;

    public override string Description => "Reads a web page: its title, its text and its links.";

    public override ReadOnlyMemory<byte> Parameters => Schema.Json;

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel)
    {
        if (Schema.Mistakes(arguments) is { } mistakes)
        {
            return ToolResult.Failed(mistakes);
        }

        var start = arguments.TryGetProperty("start", out var from) ? (int)Math.Min(from.GetDouble(), int.MaxValue) : 0;
        try
        {
            var url = EgressUrl.Read(arguments.GetProperty("url").GetString()!);
            var reply = await guard.SendAsync(
                new EgressRequest(HttpMethod.Get, url, Headers, null, TimeSpan.FromSeconds(20), MaxBytes), cancel);
            if (reply.Status >= 300)
            {
                return ToolResult.Failed($"The page could not be read: the server answered with status {reply.Status}.");
            }

            return await PageOfAsync(reply, cancel) is { } page
                ? Show(reply, page, start, turn.Citations)
                : ToolResult.Failed($"The page is of the type '{reply.MediaType[..Math.Min(reply.MediaType.Length, 80)]}', which cannot be read as text.");
        }
        catch (EgressException failed)
        {
            return ToolResult.Failed($"The page could not be read. {failed.Message}");
        }
        catch (UnreadableFileException unreadable)
        {
            return ToolResult.Failed($"The page is a PDF document, which could not be read: {unreadable.Message}");
        }
    }

    private static ToolResult Show(EgressReply reply, ReadablePage page, int start, Citations citations)
    {
        if (start >= page.Text.Length && start > 0)
        {
            return ToolResult.Failed(string.Create(CultureInfo.InvariantCulture, $"The page has only {page.Text.Length} characters."));
        }

        var title = page.Title.Length > 0 ? page.Title : reply.Url.AbsoluteUri;
        var number = citations.Number(new Citation(title, reply.Url.AbsoluteUri, null, null));
        var end = Math.Min(page.Text.Length, start + MostCharacters);
        // Not in the middle of a character of two halves.
        end -= end < page.Text.Length && char.IsHighSurrogate(page.Text[end - 1]) ? 1 : 0;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"[{number}] {title}\n{reply.Url.AbsoluteUri}\n\n{page.Text[start..end]}");
        if (end < page.Text.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n… {page.Text.Length - end} more characters; read on with start {end}.");
        }
        else if (reply.IsCut)
        {
            text.Append("\n… the page goes on, and is too long to be read further.");
        }

        if (start == 0 && page.Links.Count > 0)
        {
            text.Append("\n\nLinks:");
            foreach (var link in page.Links)
            {
                text.Append(CultureInfo.InvariantCulture, $"\n- {link.Text}: {link.Href}");
            }
        }

        return new ToolResult(DataText.Of("a web page", text.ToString()));
    }

    /// <summary>Null when it is not text.</summary>
    /// <exception cref="UnreadableFileException">A PDF that cannot be read, or not here.</exception>
    private static async ValueTask<ReadablePage?> PageOfAsync(EgressReply reply, CancellationToken cancel) =>
        reply.MediaType == "application/pdf" && !reply.IsCut
            ? new ReadablePage("", await PdfText.ReadAsync(reply.Body, cancel), [])
            : PageOf(reply);

    private static ReadablePage? PageOf(EgressReply reply)
    {
        var isHtml = reply.MediaType is "text/html" or "application/xhtml+xml" || (reply.MediaType.Length == 0 && LooksLikeHtml(reply.Body));
        if (isHtml)
        {
            return ReadablePage.Read(TextDecoding.Decode(reply.Body, reply.Charset, isHtml: true), reply.Url);
        }

        var isText = reply.MediaType.StartsWith("text/", StringComparison.Ordinal)
            || reply.MediaType.EndsWith("json", StringComparison.Ordinal) || reply.MediaType.EndsWith("xml", StringComparison.Ordinal)
            || (reply.MediaType.Length == 0 && !reply.Body.AsSpan().Contains((byte)0));
        return isText ? new ReadablePage("", TextDecoding.Decode(reply.Body, reply.Charset, isHtml: false), []) : null;
    }

    private static bool LooksLikeHtml(byte[] body) =>
        Encoding.Latin1.GetString(body, 0, Math.Min(body.Length, 256)).TrimStart() is var begin
        && (begin.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || begin.StartsWith("<html", StringComparison.OrdinalIgnoreCase));
}
