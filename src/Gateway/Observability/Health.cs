using Gateway.Data;

namespace Gateway.Observability;

/// <summary>
/// <c>/health/live</c>: the process runs. <c>/health/ready</c>: it takes requests, which it does from the moment it
/// listens, since configuration is read before, until it is told to stop. Without its database it serves on from memory,
/// so it says <c>degraded</c> and stays in rotation. Neither touches the database.
/// </summary>
internal static class Health
{
    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" }));
        routes.MapGet("/health/ready", (IHostApplicationLifetime lifetime, ConfigFeed feed) =>
            lifetime.ApplicationStopping.IsCancellationRequested
                ? Results.Json(new { status = "stopping" }, statusCode: StatusCodes.Status503ServiceUnavailable)
                : Results.Json(new { status = feed.IsDegraded ? "degraded" : "ready" }));
        return routes;
    }
}
