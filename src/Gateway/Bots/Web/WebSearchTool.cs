using System.Text;
using System.Text.Json;
using Gateway.Bots.Abilities;
using Gateway.Bots.Egress;
using Gateway.Observability;

namespace Gateway.Bots.Web;

/// <summary><c>web_search</c>: asks the operator's engine. Each hit is a source that the answer may name.</summary>
internal sealed class WebSearchTool(SearchEngine engine, EgressGuard guard, ILogger<WebTools> log) : BotTool
{
    private const int UsualCount = 6;

    private static readonly ArgumentSchema Schema = new(JsonElement.Parse("""
        {"type":"object","properties":{
          "query":{"type":"string","minLength":1,"maxLength":400,"description":"What to look for, as one would type it into a search engine."},
          "count":{"type":"integer","minimum":1,"maximum":10,"description":"How many results; 6 when left out."}},
         "required":["query"],"additionalProperties":false}
        """));

    public override string Name => "web_search";

    public override ToolKind Kind => ToolKind.WebSearch;

    public override string Description => "Searches the web. Gives numbered results: title, address and a few lines of each.";

    public override ReadOnlyMemory<byte> Parameters => Schema.Json;

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel)
    {
        if (Schema.Mistakes(arguments) is { } mistakes)
        {
            return ToolResult.Failed(mistakes);
        }

        var count = arguments.TryGetProperty("count", out var wanted) ? (int)wanted.GetDouble() : UsualCount;
        try
        {
            var reply = await guard.SendAsync(engine.Ask(arguments.GetProperty("query").GetString()!, count), cancel);
            if (reply.Status >= 300 || reply.IsCut)
            {
                return Failed(reply.IsCut ? "its answer is too long" : $"status {reply.Status}");
            }

            return Show(engine.Read(reply.Body, count), turn.Citations);
        }
        catch (EgressException failed)
        {
            return Failed(failed.Problem.ToString());
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException)
        {
            return Failed("its answer is not what this kind of engine answers");
        }
    }

    private ToolResult Failed(string why)
    {
        log.WebSearchFailed(engine.Kind, why);
        return ToolResult.Failed("The web search is not available at the moment. Answer from what you know and say so.");
    }

    private static ToolResult Show(IReadOnlyList<SearchHit> hits, Citations citations)
    {
        if (hits.Count == 0)
        {
            return new ToolResult("The web search found nothing. Try other words.");
        }

        var text = new StringBuilder();
        foreach (var hit in hits)
        {
            var number = citations.Number(new Citation(hit.Title.Length > 0 ? hit.Title : hit.Url, hit.Url, null, null));
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"[{number}] {hit.Title}\n{hit.Url}\n{hit.Snippet}\n\n");
        }

        return new ToolResult(DataText.Of("results of a web search", text.ToString().TrimEnd()));
    }
}
