namespace Gateway.Admin.File;

/// <summary>Every name that one object of the file uses for another, in the order of the file.</summary>
internal static class FileReferences
{
    public static List<FileReference> Of(FileValue root)
    {
        var providers = Names(root, "providers");
        var models = Names(root, "models");
        var embeddingModels = Names(root, "embeddingModels");
        var workspaces = Names(root, "workspaces");

        var references =
            from model in root.Items("models")
            from reference in model.Items("workspaces")
                .Select(workspace => To(FileReferenceKind.Workspace, workspace, workspaces))
                .Concat(model.Items("deployments")
                    .Select(deployment => To(FileReferenceKind.Provider, deployment["provider"]!, providers)))
                .Concat(model.Items("fallbacks").Select(fallback => To(FileReferenceKind.Model, fallback, models)))
            select reference;
        var vectors = root.Items("embeddingModels").Select(m => To(FileReferenceKind.Provider, m["provider"]!, providers));
        var owned = root.Items("workspaces").SelectMany(w => OfWorkspace(w, models, embeddingModels));

        return [.. references.Concat(vectors).Concat(owned).OrderBy(r => r.At.Line)];
    }

    private static IEnumerable<FileReference> OfWorkspace(FileValue workspace, HashSet<string> models, HashSet<string> embeddingModels)
    {
        var name = workspace.Text("name")!;
        var datasets = Names(workspace, "datasets");
        var skillsets = Names(workspace, "skillsets");
        var secrets = Names(workspace, "secrets");
        var bots = Names(workspace, "bots", "id");

        foreach (var dataset in workspace.Items("datasets"))
        {
            if (dataset["embeddingModel"] is { } model)
            {
                yield return To(FileReferenceKind.EmbeddingModel, model, embeddingModels);
            }
        }

        foreach (var ability in workspace.Items("skillsets").SelectMany(s => s.Items("abilities")))
        {
            foreach (var (at, secret) in SecretNames.Of(ability))
            {
                yield return new FileReference(FileReferenceKind.Secret, secret, secrets.Contains(secret), at, name);
            }
        }

        foreach (var bot in workspace.Items("bots"))
        {
            yield return To(FileReferenceKind.Model, bot["model"]!, models);
            foreach (var dataset in bot.Items("datasets"))
            {
                yield return To(FileReferenceKind.Dataset, dataset["name"]!, datasets, name);
            }

            foreach (var skillset in bot.Items("skillsets"))
            {
                yield return To(FileReferenceKind.Skillset, skillset, skillsets, name);
            }

            foreach (var member in bot.Items("team"))
            {
                yield return To(FileReferenceKind.Bot, member["bot"]!, bots, name);
            }
        }
    }

    private static FileReference To(FileReferenceKind kind, FileValue name, HashSet<string> inFile, string? workspace = null)
    {
        var text = (string)name.Content;
        var isInFile = inFile.Contains(text) || (kind == FileReferenceKind.Model && inFile.Contains("*"));
        return new FileReference(kind, text, isInFile, name.At, workspace);
    }

    private static HashSet<string> Names(FileValue root, string list, string identity = "name") =>
        [.. root.Items(list).Select(item => item.Text(identity)!)];
}
