using System.Text.Json;
using Gateway.Bots;
using Gateway.Http;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>The selectors that a key may use, from memory.</summary>
internal sealed class ModelList(Catalog models, ProviderModels known, BotCatalog bots)
{
    public Task ListAsync(HttpContext http)
    {
        var caller = RequestFacts.Of(http).Caller!;
        using var written = new MemoryStream();
        using (var json = new Utf8JsonWriter(written))
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var item in Items(caller))
            {
                item.Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return AnswerAsync(http, written);
    }

    public Task GetAsync(HttpContext http)
    {
        var text = Decode(http, "/models/");
        var caller = RequestFacts.Of(http).Caller!;
        if (Selector.Parse(text) is not { } selector)
        {
            return ApiError.InvalidSelector(text).WriteAsync(http);
        }

        if (!caller.MayUse(selector) || Find(caller, selector) is not { } item)
        {
            return ApiError.UnknownModel(text).WriteAsync(http);
        }

        using var written = new MemoryStream();
        using (var json = new Utf8JsonWriter(written))
        {
            item.Write(json);
        }

        return AnswerAsync(http, written);
    }

    private IEnumerable<Item> Items(Caller caller)
    {
        var catalog = models.Current;
        var configured = catalog.Models.Where(m => !m.IsWildcard && m.IsVisibleTo(caller.Workspace))
            .Select(m => new Item(Selector.ForModel(m.Name), m.CreatedAt, OwnerOf(m)));
        var passedThrough = catalog.Models.Where(m => m.IsWildcard && m.IsVisibleTo(caller.Workspace))
            .SelectMany(m => m.Deployments.SelectMany(d => known.Of(d.Provider.Name).Select(name => (name, d.Provider.Name, m.CreatedAt))))
            .Where(m => catalog.Find(m.name, caller.Workspace, "") is { Model.IsWildcard: true })
            .Select(m => new Item(Selector.ForModel(m.name), m.CreatedAt, m.Name))
            .DistinctBy(item => item.Selector.Canonical);
        return configured.Concat(passedThrough).Concat(bots.List(caller).Select(Item.Of))
            .Where(item => caller.MayUse(item.Selector))
            .OrderBy(item => item.Selector.Canonical, StringComparer.Ordinal);
    }

    private Item? Find(Caller caller, Selector selector)
    {
        if (selector is Selector.Bot bot)
        {
            return bots.Find(caller, bot.Id) is { } entry ? Item.Of(entry) : null;
        }

        var name = ((Selector.Model)selector).Name;
        var route = models.Current.Find(name, caller.Workspace, selector.Text);
        return route is null ? null : new Item(Selector.ForModel(name), route.Model.CreatedAt, OwnerOf(route.Model));
    }

    private static string OwnerOf(Model model) => model.Deployments.Count > 0 ? model.Deployments[0].Provider.Name : "gateway";

    /// <summary>
    /// What stands behind the prefix. The server has decoded the path but for <c>%2F</c>; decoding all of it once more
    /// would read a name's own percent sign as an escape.
    /// </summary>
    private static string Decode(HttpContext http, string prefix)
    {
        var path = http.Request.Path.Value!;
        return path[(path.IndexOf(prefix, StringComparison.Ordinal) + prefix.Length)..]
            .Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }

    private static async Task AnswerAsync(HttpContext http, MemoryStream json)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.Length;
        await http.Response.BodyWriter.WriteAsync(json.ToArray(), http.RequestAborted);
    }

    /// <summary>One entry, with two fields more for bots.</summary>
    private sealed record Item(Selector Selector, DateTime Created, string OwnedBy, string? Name = null, string? Description = null)
    {
        public static Item Of(BotEntry bot) => new(Selector.ForBot(bot.Id), bot.CreatedAt, "gateway", bot.Name, bot.Description);

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("id", Selector.Canonical);
            json.WriteString("object", "model");
            json.WriteNumber("created", new DateTimeOffset(Created, TimeSpan.Zero).ToUnixTimeSeconds());
            json.WriteString("owned_by", OwnedBy);
            if (Name is not null)
            {
                json.WriteString("name", Name);
                json.WriteString("description", Description);
            }

            json.WriteEndObject();
        }
    }
}
