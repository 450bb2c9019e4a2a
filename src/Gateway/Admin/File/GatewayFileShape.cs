using Gateway.Upstream;
using static Gateway.Admin.File.FileShape;
using static Gateway.Admin.File.FileTexts;

namespace Gateway.Admin.File;

/// <summary>
/// The whole <c>gateway.yaml</c>, and the shape of each kind of object in it.
/// </summary>
internal static class GatewayFileShape
{
    /// <inheritdoc cref="FileTexts.MaxCount"/>
    public const int MaxCount = FileTexts.MaxCount;

    public static readonly FileShape.Object Provider = new(
        new("name", ProviderName, "What models call this provider. Its identity.", IsRequired: true),
        new("baseUrl", new Address(),
            "Where its OpenAI-compatible API is, such as https://api.openai.com/v1.", IsRequired: true),
        new("apiKey", Credential,
            "Sent as a Bearer token; write \"${VARIABLE}\" to take it from the environment. Absent: none is sent."),
        new("headers", new TextMap(HeaderName, Credential, Headers([.. ConnectionHeaders, "content-type"])),
            "Sent with every request to this provider."),
        new("keepCredentials", YesNo,
            "Whether 'apiKey' and 'headers', which are left out then, stay as the database has them: so an export has it.", Default: "false"),
        new("maxConcurrency", Count, "Most requests at a time from one gateway; four times as many may wait. Absent: any number."),
        Manager);

    private static readonly FileShape.Object Deployment = new(
        new("provider", ProviderName, "The provider's name.", IsRequired: true),
        new("model", ExactModelName,
            "What the provider calls the model. The model's own name by default; never with \"*\"."),
        new("weight", Count, "Share of the model's traffic, relative to its other deployments'.", Default: "1"),
        new("supportsPrefill", YesNo,
            "Whether it continues an assistant's unfinished message, which 'rescue' needs. Not, if absent."));

    private static readonly FileShape.Object Timeouts = new(
        Timeout("connect", FileTimeouts.Default.Connect, "Until the connection stands."),
        Timeout("headers", FileTimeouts.Default.Headers, "Until the response headers of a streamed request."),
        Timeout("firstContent", FileTimeouts.Default.FirstContent, "Until the first content of a stream."),
        Timeout("idle", FileTimeouts.Default.Idle, "Between two events of a stream."),
        Timeout("total", FileTimeouts.Default.Total, "For everything, other attempts included."));

    private static readonly FileShape.Object Breaker = new(
        new("failureRate", new Number(0, 1, IsWhole: false, IsAboveMin: true),
            "Share of failed attempts in the window, up to 1.", Default: Show(BreakerOptions.Default.FailureRate)),
        new("minimum", Count, "Attempts in the window below which the deployment is kept.",
            Default: Show(BreakerOptions.Default.Minimum)),
        Timeout("window", BreakerOptions.Default.Window, "The time that is looked at."),
        Timeout("open", BreakerOptions.Default.Open, "How long nothing is sent, until one request is the trial."));

    private static readonly FileShape.Object Price = new(
        new("input", UsdPerMillion, "Of a request's tokens.", IsRequired: true),
        new("cachedInput", UsdPerMillion, "Of those that the provider had in its cache. As 'input' by default."),
        new("output", UsdPerMillion, "Of a reply's tokens. Absent: nothing, as with models that make vectors."));

    private static readonly Field[] Limits =
    [
        new("rpm", Count, "Requests in a minute (UTC)."),
        new("tpm", Count, "Tokens in a minute (UTC), in and out."),
        new("concurrent", Count, "Requests at a time, for each gateway."),
        new("budget", new Budget(), "Money or tokens in a day or month (UTC), such as 5usd/day or 2000000tokens/month."),
    ];

    public static readonly FileShape.Object Model = new(
        new("name", ModelName,
            "What callers ask for in model/name=…; \"*\" is any name that no other model has. Its identity.",
            IsRequired: true),
        new("workspaces", new List(
                WorkspaceName, UniqueBy: "", EmptyAdvice: "leave the field out to show the model to all workspaces"),
            "The only workspaces that see this model. Absent: all do."),
        new("deployments", new List(Deployment, EmptyAdvice: "name the provider that serves the model"),
            "Where the model runs.", IsRequired: true),
        new("timeouts", Timeouts, "How long the provider may take."),
        new("dropParams", new List(ParameterName, UniqueBy: ""),
            "Request parameters that are never sent to this model."),
        new("fallbacks", new List(ExactModelName, UniqueBy: ""),
            "Other models, asked in this order when every deployment has failed."),
        new("retries", new Number(0, 5, IsWhole: true), "Further attempts on the same deployment.",
            Default: Show(FileModel.DefaultRetries)),
        new("breaker", Breaker, "When a failing deployment is left alone, and for how long."),
        new("rescue", new Text(OneOf: ["off", "prefill", "replay"]),
            "What is done when a stream breaks after content was sent: nothing (off), a deployment that takes an unfinished "
            + "message continues it (prefill), or it is also started over where the answer is the same (replay).",
            Default: "prefill"),
        new("contextTokens", Count, "Size of the context. Absent: unknown."),
        new("defaultOutputTokens", Count, "What a budget reserves for a reply when the caller gives no limit."),
        new("price", Price, "USD per million tokens. Absent: unknown, and keys with a budget in USD cannot use the model."),
        Manager);

    public static readonly FileShape.Object Secret = new(
        new("name", SecretName, "Its identity in the workspace.", IsRequired: true),
        new("value", new Text(MaxLength: 16_384, HasLines: true, IsSecret: true),
            "Write \"${VARIABLE}\" to take it from the environment. Absent: the value in the database stays."),
        Manager);

    public static readonly FileShape.Object EmbeddingModel = new(
        new("name", ExactModelName, "What datasets call it. Its identity.", IsRequired: true),
        new("provider", ProviderName, "The provider's name.", IsRequired: true),
        new("model", ExactModelName, "What the provider calls the model. The name above by default."),
        new("dimensions", new Number(1, 16_000, IsWhole: true), "How many numbers a vector has.", IsRequired: true),
        new("price", new FileShape.Object(new Field("input", UsdPerMillion, "Of the texts' tokens.", IsRequired: true)),
            "USD per million tokens. Absent: unknown."),
        Manager);

    public static readonly FileShape.Object Web = new(
        new("search", new FileShape.Object(
            new("kind", new Text(OneOf: ["searxng", "brave", "tavily"]), "Which engine it is.", IsRequired: true),
            new("url", new Address(), "Where it is. SearXNG needs it; the others have their usual address."),
            new("apiKey", Credential, "Brave and Tavily need one; write \"${VARIABLE}\" to take it from the environment."),
            new("keepCredentials", YesNo,
                "Whether 'apiKey', which is left out then, stays as the database has it: so an export has it.", Default: "false")),
            "The engine that bots with 'webSearch' search with. Absent: they do not search."),
        new("fetch", YesNo, "Whether bots with 'webSearch' may read pages.", Default: "false"),
        Manager);

    public static readonly FileShape.Object Egress = new(
        new("allow", new List(
                new Text(Pattern: @"^[A-Za-z0-9.:_/-]+$", Expected: "a host's name, an address or a network such as 10.1.0.0/16"),
                UniqueBy: ""),
            "Hosts, addresses and networks that bots may reach although they are private."),
        Manager);

    public static readonly FileShape.Object Dataset = DatasetShape.Dataset;
    public static readonly FileShape.Object Skillset = SkillsetShape.Skillset;
    public static readonly FileShape.Object Bot = BotShape.Bot(Limits);

    public static readonly FileShape.Object Workspace = new(
        new("name", WorkspaceName, "The tenant. Its identity.", IsRequired: true),
        new("secrets", new List(Secret, UniqueBy: "name"), "Credentials of this workspace, kept encrypted."),
        new("datasets", new List(Dataset, UniqueBy: "name"), "What its bots can look up."),
        new("skillsets", new List(Skillset, UniqueBy: "name"), "What its bots can do."),
        new("bots", new List(Bot, UniqueBy: "id"), "Its bots."),
        new("limits", new FileShape.Object(Limits), "Rates and budgets of all its keys together."),
        Manager);

    // Last, because static fields are made in the order they are written.
    public static readonly FileShape.Object Root = new(
        new("providers", new List(Provider, UniqueBy: "name"), "Upstream APIs and how to reach them."),
        new("models", new List(Model, UniqueBy: "name"), "The names callers may ask for, and who serves them."),
        new("embeddingModels", new List(EmbeddingModel, UniqueBy: "name"), "Models that make vectors, for datasets."),
        new("web", Web, "Search engine and page reading."),
        new("egress", Egress, "Private places that bots may reach."),
        new("workspaces", new List(Workspace, UniqueBy: "name"), "Tenants: each has its own keys, secrets and bots."));

    private static Field Timeout(string name, TimeSpan value, string description) =>
        new(name, Clock, description, Default: FileDuration.Format(value));
}
