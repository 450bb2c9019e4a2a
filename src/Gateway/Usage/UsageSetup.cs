namespace Gateway.Usage;

internal static class UsageSetup
{
    public static IServiceCollection AddUsage(this IServiceCollection services)
    {
        services.AddSingleton<UsageJournal>();
        return services;
    }
}
