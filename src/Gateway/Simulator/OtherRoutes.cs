using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>GET /v1/models, one model, and POST /v1/moderations.</summary>
internal static class OtherRoutes
{
    /// <summary>2026-01-01, the birthday of every model here.</summary>
    private const long Created = 1_767_225_600;

    private static readonly string[] Models =
        ["demo", "demo-paraphrase", "demo-noprefix", "demo-restart", "demo-reasoning", "demo-embedding", "demo-image", "demo-audio", "bench"];

    /// <summary>What is flagged, and the words that do it.</summary>
    private static readonly (string Category, string[] Words)[] Categories =
    [
        ("harassment", ["idiot", "stupid", "loser"]), ("harassment/threatening", []), ("hate", ["hate"]), ("hate/threatening", []),
        ("illicit", ["steal", "counterfeit"]), ("illicit/violent", ["bomb"]), ("self-harm", ["suicide"]), ("self-harm/intent", []),
        ("self-harm/instructions", []), ("sexual", ["sex"]), ("sexual/minors", []), ("violence", ["kill", "murder", "attack"]),
        ("violence/graphic", ["gore"]),
    ];

    public static Task ListModelsAsync(Exchange exchange) => exchange.SendAsync(
        JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var model in Models)
            {
                WriteModel(json, model);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }),
        "application/json",
        Trouble.None);

    /// <param name="escaped">As it stands in the path.</param>
    public static Task GetModelAsync(Exchange exchange, string escaped)
    {
        var id = Uri.UnescapeDataString(escaped);
        return Models.Contains(id.Split('!')[0], StringComparer.Ordinal)
            ? exchange.SendAsync(JsonText.Write(json => WriteModel(json, id)), "application/json", Trouble.None)
            : throw RefusalException.UnknownModel(id);
    }

    public static async Task ModerateAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Gone);
        var root = body.ParseObject();
        var model = SimulatorRequest.CheckModel(root.Text("model") ?? "demo");
        var inputs = ReadInputs(root.Member("input") ?? throw RefusalException.Missing("input"));
        var trouble = await exchange.EnterAsync(Trouble.Read(model, null, out _), $"{model}\n{inputs[0]}", root);
        var id = ChatRoute.Id("modr-", body.Bytes.Span);
        await exchange.SendAsync(JsonText.Write(json => WriteModeration(json, id, model, inputs)), "application/json", trouble);
    }

    /// <summary>Texts, or one list of parts of which the texts are looked at.</summary>
    private static List<string> ReadInputs(JsonElement input)
    {
        if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() == 0
            || input[0].ValueKind != JsonValueKind.Object)
        {
            return TextInputs.Read(input, "input", maxCount: 2048);
        }

        var texts = input.EnumerateArray().Select(part => part.AsObject("input[]").Text("text", "input[].") ?? "");
        return [string.Join('\n', texts)];
    }

    private static void WriteModeration(Utf8JsonWriter json, string id, string model, List<string> inputs)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("model", model);
        json.WriteStartArray("results");
        foreach (var input in inputs)
        {
            var words = Words.Split(input).ToHashSet(StringComparer.Ordinal);
            json.WriteStartObject();
            json.WriteBoolean("flagged", Categories.Any(c => c.Words.Any(words.Contains)));
            json.WriteStartObject("categories");
            foreach (var (category, flagging) in Categories)
            {
                json.WriteBoolean(category, flagging.Any(words.Contains));
            }

            json.WriteEndObject();
            json.WriteStartObject("category_scores");
            foreach (var (category, flagging) in Categories)
            {
                json.WriteNumber(category, flagging.Any(words.Contains) ? 0.99 : 0.01);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, string id)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("object", "model");
        json.WriteNumber("created", Created);
        json.WriteString("owned_by", "simulator");
        json.WriteEndObject();
    }
}
