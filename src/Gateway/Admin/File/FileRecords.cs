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
        return new GatewayFile(
            providers,
            models,
            [.. root.Items("embeddingModels").Select(EmbeddingModel)],
            root["web"] is { } web ? Web(web) : null,
            root["egress"] is { } egress ? new FileEgress(egress.Texts("allow"), egress.At) { IsOfApi = IsOfApi(egress) } : null,
            [.. root.Items("workspaces").Select(WorkspaceRecords.Workspace)],
            FileReferences.Of(root));
    }

    /// <summary>Null for no limits, and for empty braces, which limit nothing either.</summary>
    public static LimitValues? Limits(FileValue? value) =>
        value is null || (value["rpm"] ?? value["tpm"] ?? value["concurrent"] ?? value["budget"]) is null
            ? null
            : new LimitValues(value.Whole("rpm"), (long?)value.Number("tpm"), value.Whole("concurrent"), value.Budget("budget"));

    public static bool IsOfApi(FileValue value) => value.Text("managed") == FileTexts.Api;

    private static FileProvider Provider(FileValue value) => new(
        value.Text("name")!,
        value.Text("baseUrl")!,
        value.Secret("apiKey"),
        value.Map("headers").ToDictionary(
            header => header.Key, header => (Secret)header.Value.Content, StringComparer.OrdinalIgnoreCase),
        value.Whole("maxConcurrency"),
        value.At)
    {
        IsOfApi = IsOfApi(value),
        KeepsCredentials = value.Flag("keepCredentials") ?? false,
    };

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
            value.At)
        { IsOfApi = IsOfApi(value) };
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

    private static FileEmbeddingModel EmbeddingModel(FileValue value) => new(
        value.Text("name")!,
        value.Text("provider")!,
        value.Text("model") ?? value.Text("name")!,
        value.Whole("dimensions")!.Value,
        value["price"]?.Number("input"),
        value.At)
    { IsOfApi = IsOfApi(value) };

    private static FileWeb Web(FileValue value) => new(
        value["search"] is { } search ? Search(search) : null,
        value.Flag("fetch") ?? false,
        value.At)
    { IsOfApi = IsOfApi(value) };

    private static FileSearch Search(FileValue value) => new(
        value.Text("kind")!, value.Text("url"), value.Secret("apiKey"), value.Flag("keepCredentials") ?? false);
}
