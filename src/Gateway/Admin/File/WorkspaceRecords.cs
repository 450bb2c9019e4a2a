using System.Text.Json.Nodes;
using Gateway.Data;

namespace Gateway.Admin.File;

/// <summary>From a tree without errors to the records of a workspace and what it owns.</summary>
internal static class WorkspaceRecords
{
    public static FileWorkspace Workspace(FileValue value) => new(
        value.Text("name")!,
        FileRecords.Limits(value["limits"]),
        [.. value.Items("secrets").Select(s => new FileSecret(s.Text("name")!, s.Secret("value"), s.At) { IsOfApi = FileRecords.IsOfApi(s) })],
        [.. value.Items("datasets").Select(Dataset)],
        [.. value.Items("skillsets").Select(Skillset)],
        [.. value.Items("bots").Select(Bot)],
        value.At)
    { IsOfApi = FileRecords.IsOfApi(value) };

    private static FileDataset Dataset(FileValue value)
    {
        var chunkTokens = value.Whole("chunkTokens") ?? FileDataset.DefaultChunkTokens;
        return new FileDataset(
            value.Text("name")!,
            value.Text("description") ?? "",
            value.Flag("enabled") ?? true,
            value["files"] is null ? null : [.. value.Items("files").Select(f => new FilePattern((string)f.Content, f.At))],
            value.Text("language") ?? FileDataset.DefaultLanguage,
            value.Text("embeddingModel"),
            chunkTokens,
            value.Whole("overlapTokens") ?? Math.Min(FileDataset.DefaultOverlapTokens, chunkTokens / 2),
            value.Whole("searchMaxRecords") ?? FileDataset.DefaultMaxRecords,
            (double?)value.Number("searchMinScore") ?? 0,
            value.Whole("searchMaxTokens") ?? FileDataset.DefaultMaxTokens,
            value.Text("matchInstruction") ?? "",
            value.Text("mismatchInstruction") ?? "",
            value.At)
        { IsOfApi = FileRecords.IsOfApi(value) };
    }

    private static FileSkillset Skillset(FileValue value) => new(
        value.Text("name")!,
        value.Text("description") ?? "",
        value.Flag("enabled") ?? true,
        [.. value.Items("abilities").Select(Ability)],
        value.At)
    { IsOfApi = FileRecords.IsOfApi(value) };

    private static FileAbility Ability(FileValue value) => new(
        value.Text("name")!,
        value.Text("description") ?? "",
        value["mcp"] is null ? AbilityKind.Http : AbilityKind.Mcp,
        value.Json("parameters")?.Text ?? "{}",
        (value["mcp"] is { } mcp ? Mcp(mcp) : Http(value["http"]!)).ToJsonString(),
        value.At);

    // Every default is written out: what an ability does must not change because a later version has other defaults.
    private static JsonObject Http(FileValue value)
    {
        var settings = new JsonObject
        {
            ["method"] = value.Text("method") ?? FileAbility.DefaultMethod,
            ["url"] = value.Text("url"),
            ["timeout"] = Milliseconds(value.Duration("timeout") ?? FileAbility.DefaultHttpTimeout),
            ["maxBytes"] = value.Whole("maxBytes") ?? FileAbility.DefaultMaxBytes,
        };
        Add(settings, "headers", Headers(value));
        Add(settings, "body", value.Text("body"));
        Add(settings, "pick", value.Text("pick"));
        return settings;
    }

    private static JsonObject Mcp(FileValue value)
    {
        var settings = new JsonObject
        {
            ["url"] = value.Text("url"),
            ["timeout"] = Milliseconds(value.Duration("timeout") ?? FileAbility.DefaultMcpTimeout),
        };
        Add(settings, "headers", Headers(value));
        Add(settings, "tools", value["tools"] is null ? null : new JsonArray([.. value.Texts("tools").Select(t => JsonValue.Create(t))]));
        return settings;
    }

    private static JsonObject? Headers(FileValue value) => value.Map("headers") is { Count: > 0 } headers
        ? new JsonObject(headers.Select(h => KeyValuePair.Create<string, JsonNode?>(h.Key, ((Secret)h.Value.Content).Reveal())))
        : null;

    private static FileBot Bot(FileValue value) => new(
        value.Text("id")!,
        value.Text("name"),
        value.Text("description"),
        value.Text("model")!,
        value.Text("backstory"),
        value.Json("parameters")?.Text ?? "{}",
        value.Texts("lockedParameters"),
        FileRecords.Limits(value["limits"]),
        value.At)
    {
        DatasetsJson = Array(value.Items("datasets"), d => new JsonObject { ["name"] = d.Text("name"), ["mode"] = d.Text("mode") ?? "tool" }),
        Skillsets = value.Texts("skillsets"),
        WebSearch = value.Flag("webSearch") ?? false,
        ClientToolsJson = Array(value.Items("clientTools"), ClientTool),
        TeamJson = Array(value.Items("team"), m => new JsonObject
        {
            ["bot"] = m.Text("bot"),
            ["description"] = m.Text("description") ?? "",
            ["handoff"] = m.Flag("handoff") ?? false,
        }),
        Turn = Turn(value["limits"]),
        ExposeSteps = value.Flag("exposeSteps") ?? false,
        IsOfApi = FileRecords.IsOfApi(value),
    };

    private static JsonObject ClientTool(FileValue value)
    {
        var function = value["function"]!;
        var said = new JsonObject { ["name"] = function.Text("name") };
        Add(said, "description", function.Text("description"));
        Add(said, "parameters", function.Json("parameters") is { } parameters ? JsonNode.Parse(parameters.Text) : null);
        Add(said, "strict", function.Flag("strict"));
        return new JsonObject { ["type"] = "function", ["function"] = said };
    }

    private static FileTurn Turn(FileValue? limits) => new(
        limits?.Whole("steps"), limits?.Whole("toolCalls"), limits?.Whole("depth"), limits?.Whole("seconds"), limits?.Number("turnBudget"));

    private static string Array(IReadOnlyList<FileValue> items, Func<FileValue, JsonObject> make) =>
        new JsonArray([.. items.Select(make)]).ToJsonString();

    private static void Add(JsonObject target, string name, JsonNode? value)
    {
        if (value is not null)
        {
            target[name] = value;
        }
    }

    private static int Milliseconds(TimeSpan time) => (int)time.TotalMilliseconds;
}
