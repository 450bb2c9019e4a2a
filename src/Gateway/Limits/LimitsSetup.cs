using Gateway.Data;

namespace Gateway.Limits;

internal static class LimitsSetup
{
    public static IServiceCollection AddLimits(this IServiceCollection services)
    {
        services.AddSingleton<WorkspaceLimits>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<WorkspaceLimits>());
        services.AddSingleton(s => new LeaseStore(s.GetRequiredService<GatewaySettings>().ConnectionString));
        services.AddSingleton<LeasePump>();
        services.AddHostedService(s => s.GetRequiredService<LeasePump>());
        services.AddHostedService<LimitCleanup>();
        services.AddSingleton<Limiter>();
        services.AddSingleton<Metering>();
        return services;
    }
}
