using System.Text.Json;

namespace Gateway.Admin.File;

/// <summary>Rules between the fields of datasets, skillsets and bots.</summary>
internal static class WorkspaceRules
{
    public static void CheckDataset(FileValue dataset, List<FileError> errors)
    {
        var chunkTokens = dataset.Whole("chunkTokens") ?? FileDataset.DefaultChunkTokens;
        if (dataset["overlapTokens"] is { } overlap && dataset.Whole("overlapTokens") >= chunkTokens)
        {
            errors.Add(overlap.At.Error($"expected less than the {chunkTokens} of 'chunkTokens'"));
        }

        if (dataset["files"] is { } files && FileRecords.IsOfApi(dataset))
        {
            errors.Add(files.At.Error("a dataset with 'managed: api' has its files from the API; remove one of the two"));
        }

        foreach (var pattern in dataset.Items("files"))
        {
            if (FileGlob.Problem((string)pattern.Content) is { } problem)
            {
                errors.Add(pattern.At.Error(problem));
            }
        }
    }

    public static void CheckAbility(FileValue ability, List<FileError> errors)
    {
        switch (ability["http"], ability["mcp"])
        {
            case (null, null) when !errors.Exists(e => e.Path.StartsWith($"{ability.At.Path}.", StringComparison.Ordinal)):
                errors.Add(ability.At.Error("expected 'http' or 'mcp': what the ability does"));
                break;
            case ({ }, { } mcp):
                errors.Add(mcp.At.Error("an ability is 'http' or 'mcp', not both; make two of it"));
                break;
            case (null, { }) when ability["parameters"] is { } parameters:
                errors.Add(parameters.At.Error("the tools of an MCP server have parameters of their own; remove this field"));
                break;
        }

        CheckSchema(ability, errors);
    }

    public static void CheckBot(FileValue bot, FileValue workspace, FileValue root, List<FileError> errors)
    {
        CheckModel(bot, workspace, root, errors);
        CheckLocked(bot, errors);

        foreach (var member in bot.Items("team").Where(m => m.Text("bot") is { } id && id == bot.Text("id")))
        {
            errors.Add(member["bot"]!.At.Error("a bot cannot be a member of its own team"));
        }

        var tools = new Dictionary<string, int>();
        foreach (var function in bot.Items("clientTools").Select(t => t["function"]).OfType<FileValue>())
        {
            CheckSchema(function, errors);
            if (function["name"] is { Content: string text } name && !tools.TryAdd(text, name.At.Line))
            {
                errors.Add(name.At.Error($"{FileWords.Quote(text)} is here already, on line {tools[text]}"));
            }
        }
    }

    private static void CheckModel(FileValue bot, FileValue workspace, FileValue root, List<FileError> errors)
    {
        if (bot["model"] is not { Content: string modelName } model)
        {
            return;
        }

        var equals = modelName.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0 && modelName.StartsWith("model/", StringComparison.Ordinal))
        {
            var alone = FileWords.Quote(modelName[(equals + 1)..]);
            errors.Add(model.At.Error($"expected the model's name alone, {alone}"));
        }

        // Without an entry of its own the name may be the "*" model's or one of the database: the applier's to see.
        var entry = root.Items("models").FirstOrDefault(m => m.Text("name") == modelName);
        if (entry?["workspaces"] is { } open &&
            workspace.Text("name") is { } owner &&
            !entry.Texts("workspaces").Contains(owner))
        {
            var shown = FileWords.Quote(modelName);
            errors.Add(model.At.Error(
                $"the model {shown} is not open to the workspace '{owner}'; see line {open.At.Line}"));
        }
    }

    private static void CheckLocked(FileValue bot, List<FileError> errors)
    {
        // Absent parameters hold nothing to lock; parameters that could not be read have their own error.
        var parametersPath = bot.At.Field("parameters", bot.At.Line).Path;
        var isUnreadable = bot["parameters"] is null && errors.Exists(e => e.Path == parametersPath);
        foreach (var locked in bot.Items("lockedParameters").Where(_ => !isUnreadable))
        {
            var name = (string)locked.Content;
            if (bot.Json("parameters")?.Names.Contains(name) != true)
            {
                errors.Add(locked.At.Error(
                    $"{FileWords.Quote(name)} is not in this bot's 'parameters', so there is no value to lock"));
            }
        }
    }

    /// <summary>What a model is told of the arguments must be an object's schema, or no upstream takes the tool.</summary>
    private static void CheckSchema(FileValue tool, List<FileError> errors)
    {
        if (tool["parameters"] is not { Content: FileJson { Names.Count: > 0 } json } parameters)
        {
            return;
        }

        using var schema = JsonDocument.Parse(json.Text);
        var root = schema.RootElement;
        if (!root.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("object"))
        {
            errors.Add(parameters.At.Error("expected the JSON Schema of an object: 'type: object' and 'properties'"));
        }
        else if (root.TryGetProperty("properties", out var properties) && properties.ValueKind != JsonValueKind.Object)
        {
            errors.Add(parameters.At.Field("properties", parameters.At.Line).Error("expected a map of the arguments, each with its schema"));
        }
    }
}
