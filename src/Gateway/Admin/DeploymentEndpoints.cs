using System.Text.Json.Serialization;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Admin;

/// <summary>A deployment as it stands at the moment, in this gateway alone.</summary>
/// <param name="UpstreamModel">The name at the provider; null: the name that the caller used.</param>
/// <param name="Circuit"><c>closed</c>, <c>half_open</c> or <c>open</c>.</param>
/// <param name="RetryAfterMs">Until an open circuit lets one request through.</param>
/// <param name="InFlight">Calls running at the provider; null where their number is not limited.</param>
internal sealed record DeploymentObject(
    string Model, string Provider, string? UpstreamModel, int Weight, bool SupportsPrefill, string Circuit, double? RetryAfterMs,
    int? MaxConcurrency, long? InFlight, long? Queued)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "deployment";
}

internal sealed record DeploymentList(IReadOnlyList<DeploymentObject> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "list";
}

/// <summary><c>GET /admin/v1/deployments</c>: who would be asked now, and who is left alone. For the operator's key alone.</summary>
internal static class DeploymentEndpoints
{
    public static IEndpointRouteBuilder MapDeployments(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/deployments", List).WithMetadata(
            new RouteDoc("Lists deployments as they stand at the moment, in this gateway alone.") { Kind = "deployment", Verb = RouteVerb.List, IsWhole = true });
        return admin;
    }

    private static IResult List(HttpContext http, Catalog catalog, CircuitBreakers breakers) =>
        RequestFacts.Of(http).Caller!.IsGlobalAdmin
            ? Results.Json(
                new DeploymentList(
                [
                    .. catalog.Current.Models.OrderBy(m => m.Name, StringComparer.Ordinal)
                        .SelectMany(m => m.Deployments.Select(d => Show(m, d, breakers.Worst(d)))),
                ]),
                AdminJson.Default.DeploymentList)
            : ApiError.GlobalAdminOnly().ToResult();

    private static DeploymentObject Show(Model model, Deployment deployment, CircuitBreaker? breaker)
    {
        var places = deployment.Provider.Places?.GetStatistics();
        var wait = breaker?.RetryAfter ?? TimeSpan.Zero;
        return new DeploymentObject(
            model.Name, deployment.Provider.Name, deployment.UpstreamModel, deployment.Weight, deployment.SupportsPrefill,
            (breaker?.State ?? CircuitState.Closed) switch
            {
                CircuitState.Open => "open",
                CircuitState.HalfOpen => "half_open",
                _ => "closed",
            },
            wait > TimeSpan.Zero ? Math.Ceiling(wait.TotalMilliseconds) : null,
            deployment.Provider.MaxConcurrency,
            places is null ? null : deployment.Provider.MaxConcurrency!.Value - places.CurrentAvailablePermits,
            places?.CurrentQueuedCount);
    }
}
