using System.Collections.Frozen;
using System.Globalization;
using Gateway.Upstream;
using static Gateway.Admin.File.FileShape;

namespace Gateway.Admin.File;

/// <summary>
/// The whole <c>gateway.yaml</c>. A feature that gets built turns its <see cref="Field.Later"/> into a plain field.
/// </summary>
internal static class GatewayFileShape
{
    private const string SimpleName = "^[A-Za-z0-9][A-Za-z0-9._-]*$";
    /// <summary>The greatest rate, number of tokens and number of requests that can be set, in the file and for keys.</summary>
    public const int MaxCount = 1_000_000_000;

    private const string LowerName = "^[a-z0-9_-]+$";

    private static readonly Text Line = new(Expected: "text on one line");
    private static readonly Text Prose = new(MaxLength: 2_000, HasLines: true);
    private static readonly Text ProviderName = Simple("a provider's name");
    private static readonly Text WorkspaceName = Lower("a workspace's name");
    private static readonly Text ModelName = new(
        Pattern: @"^(\*|[^\s*]+)$", Expected: "a model's name without spaces, or \"*\" for any other name");
    private static readonly Text ExactModelName = new(
        Pattern: @"^[^\s*]+$", Expected: "a model's name without spaces or '*'");
    private static readonly Text ParameterName = new(Pattern: @"^\S+$", Expected: "a parameter's name");
    private static readonly Text Credential = new(
        MaxLength: 16_384, Pattern: "^[ -~]+$", Expected: "printable ASCII on one line", IsSecret: true);
    private static readonly Duration Clock = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(24));

    private static readonly Number Count = new(1, MaxCount, IsWhole: true);
    private static readonly Number UsdPerMillion = new(0, 1_000_000, IsWhole: false);
    private static readonly Flag YesNo = new();

    private static readonly string[] ConnectionHeaders =
    [
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "keep-alive",
        "te", "trailer", "transfer-encoding", "upgrade",
    ];

    // .NET keeps these with a request's body, and puts them on no request that has none.
    private static readonly string[] BodyHeaders =
    [
        "allow", "content-disposition", "content-language", "content-location", "content-md5", "content-range", "expires",
        "last-modified",
    ];

    private static readonly RefusedNames RefusedHeaders = new(
        StringComparer.OrdinalIgnoreCase,
        ConnectionHeaders.Select(name => (name, Reason: "the gateway sets it itself"))
            .Concat(BodyHeaders.Select(name => (name, Reason: "it describes one body and cannot be sent with every request")))
            .ToFrozenDictionary(header => header.name, header => header.Reason, StringComparer.OrdinalIgnoreCase));

    private static readonly RefusedNames RequestMembers = new(StringComparer.Ordinal, new Dictionary<string, string>
    {
        ["model"] = "the bot's own field 'model' says it",
        ["messages"] = "the caller sends the messages, and 'backstory' is the bot's own",
        ["stream"] = "the caller chooses whether the answer is streamed",
        ["stream_options"] = "the caller chooses how the answer is streamed",
        ["n"] = "a bot gives one answer",
        ["tools"] = "the gateway makes the list of tools",
        ["tool_choice"] = "it governs the caller's tools and comes with them",
        ["functions"] = "the gateway makes the list of tools",
        ["function_call"] = "it governs the caller's tools and comes with them",
    });

    private static readonly FileShape.Object Provider = new(
        new("name", ProviderName, "What models call this provider. Its identity.", IsRequired: true),
        new("baseUrl", new Address(),
            "Where its OpenAI-compatible API is, such as https://api.openai.com/v1.", IsRequired: true),
        new("apiKey", Credential,
            "Sent as a Bearer token; write \"${VARIABLE}\" to take it from the environment. Absent: none is sent."),
        new("headers", new TextMap(
                new(Pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", Expected: "a header's name"),
                Credential,
                RefusedHeaders),
            "Sent with every request to this provider."),
        new("maxConcurrency", Count, "Most requests at a time from one gateway; four times as many may wait. Absent: any number."));

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

    private static readonly FileShape.Object Model = new(
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
        new("price", Price, "USD per million tokens. Absent: unknown, and keys with a budget in USD cannot use the model."));

    private static readonly FileShape.Object Secret = new(
        new("name", Simple("a secret's name"), "Its identity in the workspace.", IsRequired: true),
        new("value", new Text(MaxLength: 16_384, HasLines: true, IsSecret: true),
            "Write \"${VARIABLE}\" to take it from the environment. Absent: the value in the database stays."));

    private static readonly FileShape.Object Bot = new(
        new("id", Lower("a bot's id"),
            "What callers ask for in bot/id=…. Its identity in the workspace.", IsRequired: true),
        new("name", Line, "What people read. The id by default."),
        new("description", Prose, "What the bot is for."),
        new("model", ExactModelName, "The name of the model that it speaks with.", IsRequired: true),
        new("backstory", new Text(MaxLength: 200_000, HasLines: true),
            "The system prompt. {date}, {time}, {bot.name} and {workspace} are filled in."),
        new("parameters", new Json(RequestMembers),
            "Request parameters that are sent with each model call, such as temperature."),
        new("lockedParameters", new List(ParameterName, UniqueBy: ""),
            "Those of the parameters that a caller cannot change."),
        Field.Later("datasets", "What it can look up."),
        Field.Later("skillsets", "What it can do."),
        Field.Later("webSearch", "Whether it searches the web.", YesNo),
        Field.Later("clientTools", "Tools of the chat page."),
        Field.Later("team", "Other bots that it asks."),
        new("limits", new FileShape.Object(
            [
                .. Limits,
                Field.Later("steps", "Most model calls of a turn.", Count),
                Field.Later("toolCalls", "Most tool calls of a turn.", Count),
                Field.Later("depth", "Most levels of bots that ask bots.", Count),
                Field.Later("seconds", "Longest turn.", Count),
                Field.Later("turnBudget", "Most money of a turn."),
            ]),
            "Rates and budgets of all its callers together."),
        Field.Later("exposeSteps", "Whether callers may see its steps.", YesNo));

    private static readonly FileShape.Object Workspace = new(
        new("name", WorkspaceName, "The tenant. Its identity.", IsRequired: true),
        new("secrets", new List(Secret, UniqueBy: "name"), "Credentials of this workspace, kept encrypted."),
        new("bots", new List(Bot, UniqueBy: "id"), "Its bots."),
        new("limits", new FileShape.Object(Limits), "Rates and budgets of all its keys together."),
        Field.Later("datasets", "What bots can look up."),
        Field.Later("skillsets", "What bots can do."));

    // Last, because static fields are made in the order they are written.
    public static readonly FileShape.Object Root = new(
        new("providers", new List(Provider, UniqueBy: "name"), "Upstream APIs and how to reach them."),
        new("models", new List(Model, UniqueBy: "name"), "The names callers may ask for, and who serves them."),
        new("workspaces", new List(Workspace, UniqueBy: "name"), "Tenants: each has its own keys, secrets and bots."),
        Field.Later("embeddingModels", "Models that make vectors."),
        Field.Later("web", "Search engine and page reading."),
        Field.Later("egress", "Private places that bots may reach."));

    private static Field Timeout(string name, TimeSpan value, string description) =>
        new(name, Clock, description, Default: FileDuration.Format(value));

    private static string Show(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static Text Simple(string what) =>
        new(Pattern: SimpleName, Expected: $"{what}: letters, digits, '.', '_' and '-', a letter or digit first");

    private static Text Lower(string what) =>
        new(Pattern: LowerName, Expected: $"{what}: lower-case letters, digits, '_' and '-'");
}
