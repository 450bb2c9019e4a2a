using Gateway.Data;
using Gateway.Upstream;

namespace Gateway.Admin.File;

/// <summary>What a <c>gateway.yaml</c> says, checked as far as the file alone allows.</summary>
/// <param name="Web">Null: the file does not speak of it; so with <paramref name="Egress"/>.</param>
/// <param name="References">Every name that one object uses for another, in the order of the file. Those that are not
/// <see cref="FileReference.IsInFile"/> must be looked up in the database.</param>
internal sealed record GatewayFile(
    IReadOnlyList<FileProvider> Providers,
    IReadOnlyList<FileModel> Models,
    IReadOnlyList<FileEmbeddingModel> EmbeddingModels,
    FileWeb? Web,
    FileEgress? Egress,
    IReadOnlyList<FileWorkspace> Workspaces,
    IReadOnlyList<FileReference> References);

/// <summary>What an apply makes a row of.</summary>
internal abstract record FileObject
{
    /// <summary>It is made when it is missing, and otherwise the API's to change: an apply leaves it as it is.</summary>
    public bool IsOfApi { get; init; }

    /// <summary>Whether there is nothing to match.</summary>
    /// <param name="there">Who manages the row; null: there is none.</param>
    public bool IsLeftTo(ManagedBy? there) => IsOfApi && there == ManagedBy.Api;

    /// <summary>Who manages the row from now on.</summary>
    /// <param name="otherwise">Who makes the change.</param>
    public ManagedBy Manager(ManagedBy otherwise) => IsOfApi ? ManagedBy.Api : otherwise;
}

/// <param name="BaseUrl">Absolute, http or https, without a slash at its end.</param>
/// <param name="ApiKey">Null: requests go out without a key.</param>
/// <param name="Headers">Sent with each request; names ignore case. Secret, since other credentials stand here.</param>
/// <param name="MaxConcurrency">Most requests at a time from one gateway; null: any number.</param>
internal sealed record FileProvider(
    string Name, string BaseUrl, Secret? ApiKey, IReadOnlyDictionary<string, Secret> Headers, int? MaxConcurrency, FilePlace At) : FileObject
{
    /// <summary>Key and headers stay as the database has them; then neither is given here.</summary>
    public bool KeepsCredentials { get; init; }
}

/// <param name="Name">What callers ask for; <c>*</c> is every name that no other model has.</param>
/// <param name="Workspaces">The only workspaces that see it; null means all do. Never empty.</param>
/// <param name="Deployments">At least one; no two are the same model at the same provider.</param>
/// <param name="DropParams">Parameters that are never sent to this model.</param>
/// <param name="Fallbacks">Names of other models, in the order in which they are asked.</param>
/// <param name="Retries">Further attempts on the same deployment.</param>
/// <param name="ContextTokens">Size of the context; null: unknown.</param>
/// <param name="DefaultOutputTokens">What a budget reserves when the caller gives no limit; null: the gateway's guess.</param>
/// <param name="Price">Null: unknown.</param>
internal sealed record FileModel(
    string Name,
    IReadOnlyList<string>? Workspaces,
    IReadOnlyList<FileDeployment> Deployments,
    FileTimeouts Timeouts,
    IReadOnlyList<string> DropParams,
    IReadOnlyList<string> Fallbacks,
    int Retries,
    BreakerOptions Breaker,
    RescueMode Rescue,
    int? ContextTokens,
    int? DefaultOutputTokens,
    ModelPrice? Price,
    FilePlace At) : FileObject
{
    public const int DefaultRetries = 2;
}

/// <param name="Model">What the provider calls it. Null for the model <c>*</c> alone: the caller's name is used.</param>
/// <param name="Weight">Share of the model's traffic, relative to its other deployments'.</param>
/// <param name="SupportsPrefill">Whether it continues an assistant's unfinished message.</param>
internal sealed record FileDeployment(string Provider, string? Model, int Weight, bool SupportsPrefill, FilePlace At);

/// <param name="Connect">Until the connection stands.</param>
/// <param name="Headers">Until the response headers of a streamed request.</param>
/// <param name="FirstContent">Until the first content of a stream.</param>
/// <param name="Idle">Between two events of a stream.</param>
/// <param name="Total">For everything, other attempts included.</param>
internal sealed record FileTimeouts(
    TimeSpan Connect, TimeSpan Headers, TimeSpan FirstContent, TimeSpan Idle, TimeSpan Total)
{
    public static readonly FileTimeouts Default = new(
        TimeSpan.FromSeconds(3),
        TimeSpan.FromSeconds(60),
        TimeSpan.FromSeconds(60),
        TimeSpan.FromSeconds(60),
        TimeSpan.FromMinutes(10));
}

/// <param name="Model">What the provider calls it; the name where the file does not say.</param>
/// <param name="Dimensions">How many numbers a vector has.</param>
/// <param name="PriceInput">USD per million tokens; null: unknown.</param>
internal sealed record FileEmbeddingModel(string Name, string Provider, string Model, int Dimensions, decimal? PriceInput, FilePlace At) : FileObject;

/// <param name="Search">Null: there is no search.</param>
/// <param name="CanFetch">Whether bots may read pages.</param>
internal sealed record FileWeb(FileSearch? Search, bool CanFetch, FilePlace At) : FileObject;

/// <param name="Kind"><c>searxng</c>, <c>brave</c> or <c>tavily</c>.</param>
/// <param name="Url">Null: the engine's usual address.</param>
/// <param name="KeepsCredentials">The key stays as the database has it; then none is given here.</param>
internal sealed record FileSearch(string Kind, string? Url, Secret? ApiKey, bool KeepsCredentials = false);

internal sealed record FileEgress(IReadOnlyList<string> Allow, FilePlace At) : FileObject;
