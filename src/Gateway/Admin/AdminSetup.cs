using Gateway.Data;
using Gateway.Http;

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
        services.AddScoped(s => s.GetRequiredService<Microsoft.EntityFrameworkCore.IDbContextFactory<GatewayDb>>().CreateDbContext());
        return services;
    }

    public static IEndpointRouteBuilder MapAdmin(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/admin/v1").WithMetadata(new NeedsScope(Scopes.Admin));
        admin.MapKeys();
        admin.MapDeployments();
        admin.MapUsage();
        return routes;
    }
}
