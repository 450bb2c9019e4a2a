namespace Gateway.Limits;

internal static class LimitsSetup
{
    public static IServiceCollection AddLimits(this IServiceCollection services)
    {
        services.AddSingleton<Limiter>();
        services.AddSingleton<Metering>();
        return services;
    }
}
