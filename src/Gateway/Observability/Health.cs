namespace Gateway.Observability;

/// <summary>
/// <c>/health/live</c>: the process runs. <c>/health/ready</c>: it takes requests, which it does from the moment it
/// listens, since configuration is read before, until it is told to stop. Without its database it serves on from memory,
/// so it says <c>degraded</c> and stays in rotation. Neither waits for the database.
/// </summary>
internal static class Health
{
    /// <param name="isLeaving">Whether it was told to stop, and lets go of its callers.</param>
    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes, Func<bool> isLeaving)
    {
        // Made now and not by the first probe, since it feeds metrics too.
        var database = routes.ServiceProvider.GetRequiredService<DatabaseHealth>();
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" }));
        routes.MapGet("/health/ready", () =>
        {
            var isUp = database.IsUp();
            var isStopping = isLeaving();
            return Results.Json(
                new
                {
                    status = isStopping ? "stopping" : isUp ? "ready" : "degraded",
                    database = isUp ? "up" : "down",
                    config_age_seconds = Math.Round(database.ConfigAge.TotalSeconds, 1),
                },
                statusCode: isStopping ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);
        });
        return routes;
    }

    /// <summary><c>/metrics</c>. Who may read it is the mapper's to say.</summary>
    public static RouteHandlerBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        // Made now: what is counted before somebody listens is not counted.
        var metrics = routes.ServiceProvider.GetRequiredService<MetricStore>();
        return routes.MapGet("/metrics", () => Results.Bytes(metrics.Scrape(), PrometheusText.ContentType));
    }
}
