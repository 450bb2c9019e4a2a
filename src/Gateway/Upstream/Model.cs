using Gateway.Data;

namespace Gateway.Upstream;

/// <summary>How long each part of an attempt may take. Defaults are the operator's documented ones.</summary>
/// <param name="Headers">Until a stream's status line; a plain request has only <paramref name="Total"/>.</param>
/// <param name="FirstContent">From the headers to the first content of a stream; a role alone is not content.</param>
/// <param name="Idle">Longest silence between two events; comments count as signs of life.</param>
internal sealed record ModelTimeouts(TimeSpan Connect, TimeSpan Headers, TimeSpan FirstContent, TimeSpan Idle, TimeSpan Total)
{
    public static ModelTimeouts Default { get; } = new(
        TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60),
        TimeSpan.FromMinutes(10));
}

/// <summary>When a failing deployment is left alone, and for how long.</summary>
/// <param name="FailureRate">Share of failed attempts in the window, 0 to 1.</param>
/// <param name="Minimum">Attempts in the window below which the circuit stays closed.</param>
/// <param name="Open">How long nothing is sent, until one request is the trial.</param>
internal sealed record BreakerOptions(double FailureRate, int Minimum, TimeSpan Window, TimeSpan Open)
{
    public static BreakerOptions Default { get; } = new(0.5, 4, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));
}

/// <summary>USD per million tokens.</summary>
internal sealed record ModelPrice(decimal Input, decimal CachedInput, decimal Output)
{
    /// <summary>What these tokens cost, in USD.</summary>
    public decimal Of(long input, long cachedInput, long output) =>
        (((input - cachedInput) * Input) + (cachedInput * CachedInput) + (output * Output)) / 1_000_000m;
}

/// <summary>A name that callers use, and what answers it.</summary>
/// <param name="Workspaces">Names of the workspaces that see it; empty: all.</param>
internal sealed record Model(
    string Name, IReadOnlyList<string> Workspaces, IReadOnlyList<Deployment> Deployments, IReadOnlyList<string> DropParams,
    ModelTimeouts Timeouts, DateTime CreatedAt)
{
    public const string Wildcard = "*";

    /// <summary>Names of models to ask when every deployment has failed, in order.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>Further attempts on the same deployment.</summary>
    public int Retries { get; init; } = 2;

    public BreakerOptions Breaker { get; init; } = BreakerOptions.Default;

    public RescueMode Rescue { get; init; } = RescueMode.Prefill;

    /// <summary>Size of the context; null: unknown.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>What is reserved for a reply when the caller gives no limit; null: the gateway's own guess.</summary>
    public int? DefaultOutputTokens { get; init; }

    /// <summary>Null: unknown.</summary>
    public ModelPrice? Price { get; init; }

    public bool IsWildcard => Name == Wildcard;

    public bool IsVisibleTo(string workspace) => Workspaces.Count == 0 || Workspaces.Contains(workspace);
}

/// <summary>A model as one request reaches it.</summary>
/// <param name="Name">The name that was asked for; the model's own but for <c>*</c>.</param>
/// <param name="Selector">What messages call it: the selector as the caller wrote it.</param>
/// <param name="Fallbacks">The models to ask when this one has failed, of the same snapshot; those alone that this workspace sees.</param>
internal sealed record ModelRoute(Model Model, string Name, string Selector, IReadOnlyList<ModelRoute> Fallbacks)
{
    /// <summary>
    /// What these tokens cost at most, in USD, whoever answers: a dearer fallback would overspend what was reserved for the
    /// model. Null when the model's own price is unknown; a fallback without one costs what the model does.
    /// </summary>
    public decimal? MostUsd(long input, long output)
    {
        var most = Model.Price?.Of(input, 0, output);
        foreach (var fallback in Fallbacks)
        {
            if (most is not null && fallback.Model.Price?.Of(input, 0, output) is { } usd && usd > most)
            {
                most = usd;
            }
        }

        return most;
    }
}
