using Gateway.Data;
using Gateway.Upstream;

namespace Gateway.Admin.File;

/// <summary>From a tree without errors to the records that the rest of the gateway knows.</summary>
internal static class FileRecords
{
    public static GatewayFile Make(FileValue root)
    {
        var providers = root.Items("providers").Select(Provider).ToList();
        var models = root.Items("models").Select(Model).ToList();
        var workspaces = root.Items("workspaces").Select(Workspace).ToList();
        return new GatewayFile(providers, models, workspaces, References(root));
    }

    private static FileProvider Provider(FileValue value) => new(
        value.Text("name")!,
        value.Text("baseUrl")!,
        value.Secret("apiKey"),
        value.Map("headers").ToDictionary(
            header => header.Key, header => (Secret)header.Value.Content, StringComparer.OrdinalIgnoreCase),
        value.Whole("maxConcurrency"),
        value.At);

    private static FileModel Model(FileValue value)
    {
        var name = value.Text("name")!;
        return new FileModel(
            name,
            value["workspaces"] is null ? null : value.Texts("workspaces"),
            [.. value.Items("deployments").Select(d => Deployment(d, name))],
            value["timeouts"] is { } timeouts ? Timeouts(timeouts) : FileTimeouts.Default,
            value.Texts("dropParams"),
            value.Texts("fallbacks"),
            value.Whole("retries") ?? FileModel.DefaultRetries,
            value["breaker"] is { } breaker ? Breaker(breaker) : BreakerOptions.Default,
            value.Text("rescue") switch
            {
                "off" => RescueMode.Off,
                "replay" => RescueMode.Replay,
                _ => RescueMode.Prefill,
            },
            value.Whole("contextTokens"),
            value.Whole("defaultOutputTokens"),
            value["price"] is { } price ? Price(price) : null,
            value.At);
    }

    private static FileDeployment Deployment(FileValue value, string modelName) => new(
        value.Text("provider")!,
        value.Text("model") ?? (modelName == "*" ? null : modelName),
        value.Whole("weight") ?? 1,
        value.Flag("supportsPrefill") ?? false,
        value.At);

    private static FileTimeouts Timeouts(FileValue value) => new(
        value.Duration("connect") ?? FileTimeouts.Default.Connect,
        value.Duration("headers") ?? FileTimeouts.Default.Headers,
        value.Duration("firstContent") ?? FileTimeouts.Default.FirstContent,
        value.Duration("idle") ?? FileTimeouts.Default.Idle,
        value.Duration("total") ?? FileTimeouts.Default.Total);

    private static BreakerOptions Breaker(FileValue value) => new(
        (double?)value.Number("failureRate") ?? BreakerOptions.Default.FailureRate,
        value.Whole("minimum") ?? BreakerOptions.Default.Minimum,
        value.Duration("window") ?? BreakerOptions.Default.Window,
        value.Duration("open") ?? BreakerOptions.Default.Open);

    private static ModelPrice Price(FileValue value)
    {
        var input = value.Number("input")!.Value;
        return new ModelPrice(input, value.Number("cachedInput") ?? input, value.Number("output") ?? 0);
    }

    // Empty braces limit nothing, like no limits at all.
    private static LimitValues? Limits(FileValue? value) =>
        value is null || (value["rpm"] ?? value["tpm"] ?? value["concurrent"] ?? value["budget"]) is null
            ? null
            : new LimitValues(value.Whole("rpm"), (long?)value.Number("tpm"), value.Whole("concurrent"), value.Budget("budget"));

    private static FileWorkspace Workspace(FileValue value) => new(
        value.Text("name")!,
        Limits(value["limits"]),
        [.. value.Items("secrets").Select(s => new FileSecret(s.Text("name")!, s.Secret("value"), s.At))],
        [.. value.Items("bots").Select(Bot)],
        value.At);

    private static FileBot Bot(FileValue value) => new(
        value.Text("id")!,
        value.Text("name"),
        value.Text("description"),
        value.Text("model")!,
        value.Text("backstory"),
        value.Json("parameters")?.Text ?? "{}",
        value.Texts("lockedParameters"),
        Limits(value["limits"]),
        value.At);

    private static List<FileReference> References(FileValue root)
    {
        var providers = Names(root, "providers");
        var models = Names(root, "models");
        var workspaces = Names(root, "workspaces");

        var references =
            from model in root.Items("models")
            from reference in model.Items("workspaces")
                .Select(workspace => To(FileReferenceKind.Workspace, workspace, workspaces))
                .Concat(model.Items("deployments")
                    .Select(deployment => To(FileReferenceKind.Provider, deployment["provider"]!, providers)))
                .Concat(model.Items("fallbacks").Select(fallback => To(FileReferenceKind.Model, fallback, models)))
            select reference;
        var bots =
            from workspace in root.Items("workspaces")
            from bot in workspace.Items("bots")
            select To(FileReferenceKind.Model, bot["model"]!, models);

        return [.. references.Concat(bots).OrderBy(r => r.At.Line)];
    }

    private static FileReference To(FileReferenceKind kind, FileValue name, HashSet<string> inFile)
    {
        var text = (string)name.Content;
        var isInFile = inFile.Contains(text) || (kind == FileReferenceKind.Model && inFile.Contains("*"));
        return new FileReference(kind, text, isInFile, name.At);
    }

    private static HashSet<string> Names(FileValue root, string list) =>
        [.. root.Items(list).Select(item => item.Text("name")!)];
}
