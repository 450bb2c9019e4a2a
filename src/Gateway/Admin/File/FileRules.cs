namespace Gateway.Admin.File;

/// <summary>
/// What a shape cannot say: rules between fields. They see what could be read, so that they are reported with the rest.
/// </summary>
internal static class FileRules
{
    public static void Check(FileValue root, List<FileError> errors)
    {
        foreach (var provider in root.Items("providers"))
        {
            CheckProvider(provider, errors);
        }

        foreach (var model in root.Items("models"))
        {
            CheckModel(model, errors);
        }

        foreach (var workspace in root.Items("workspaces"))
        {
            foreach (var bot in workspace.Items("bots"))
            {
                CheckBot(bot, workspace, root, errors);
            }
        }
    }

    private static void CheckProvider(FileValue provider, List<FileError> errors)
    {
        if (provider["apiKey"] is not null && provider.Map("headers").GetValueOrDefault("authorization") is { } header)
        {
            errors.Add(header.At.Error("'apiKey' is sent as this header; keep one of the two"));
        }
    }

    private static void CheckModel(FileValue model, List<FileError> errors)
    {
        var name = model.Text("name");
        var seen = new Dictionary<(string, string), int>();
        foreach (var deployment in model.Items("deployments"))
        {
            if (name == "*" && deployment["model"] is { } upstream)
            {
                errors.Add(upstream.At.Error("the model \"*\" passes the caller's name through; remove this field"));
            }
            else if (name is not null && deployment.Text("provider") is { } provider
                && !seen.TryAdd((provider, deployment.Text("model") ?? name), deployment.At.Line))
            {
                var line = seen[(provider, deployment.Text("model") ?? name)];
                errors.Add(deployment.At.Error(
                    $"the same model at the same provider is here already, on line {line}; 'weight' gives it more of the traffic"));
            }
        }

        foreach (var fallback in model.Items("fallbacks").Where(f => name is not null && f.Content is string own && own == name))
        {
            errors.Add(fallback.At.Error("a model cannot fall back to itself"));
        }

        foreach (var dropped in model.Items("dropParams").Where(d => d.Content is "model" or "messages" or "stream"))
        {
            errors.Add(dropped.At.Error($"'{dropped.Content}' cannot be left out of a request"));
        }
    }

    private static void CheckBot(FileValue bot, FileValue workspace, FileValue root, List<FileError> errors)
    {
        if (bot["model"] is { Content: string modelName } model)
        {
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
}
