using Gateway.Admin.Api;
using Gateway.Data;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.Admin;

internal static class AdminSetup
{
    public static IServiceCollection AddAdmin(this IServiceCollection services, Installation installation)
    {
        if (installation.AppliedHash is { } applied)
        {
            services.AddHostedService(s => ActivatorUtilities.CreateInstance<ApplyWatch>(s, applied));
        }

        services.AddScoped<KeyStore>();
        services.AddScoped<ConfigStore>();
        services.AddScoped(s => s.GetRequiredService<Microsoft.EntityFrameworkCore.IDbContextFactory<GatewayDb>>().CreateDbContext());
        return services;
    }

    public static IEndpointRouteBuilder MapAdmin(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/admin/v1").WithMetadata(new NeedsScope(Scopes.Admin));
        admin.MapKeys();
        admin.MapDeployments();
        admin.MapUsage();
        admin.MapAbilityTry();
        admin.MapDatasetContents();
        admin.MapConfig();
        admin.MapAbilities();
        admin.MapAudit();
        admin.MapOpenApi();
        MapMetrics(routes);
        return routes;
    }

    /// <summary>
    /// Metrics tell of every workspace, so it takes the global admin key, unless management has an address of its own: who
    /// reaches that may read them, and Prometheus needs no key.
    /// </summary>
    private static void MapMetrics(IEndpointRouteBuilder routes)
    {
        var metrics = routes.MapMetrics();
        if (routes.ServiceProvider.GetRequiredService<AdminPorts>().Urls.Length == 0)
        {
            metrics.WithMetadata(new NeedsScope(Scopes.Admin));
            metrics.AddEndpointFilter(static (context, next) =>
                RequestFacts.Of(context.HttpContext).Caller is { IsGlobalAdmin: true }
                    ? next(context)
                    : new(ApiError.GlobalAdminOnly().ToResult()));
        }
    }
}
