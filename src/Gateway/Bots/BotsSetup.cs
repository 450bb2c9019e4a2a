using Gateway.Data;

namespace Gateway.Bots;

internal static class BotsSetup
{
    public static IServiceCollection AddBots(this IServiceCollection services)
    {
        services.AddSingleton<BotReader>();
        services.AddSingleton<BotCatalog>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<BotCatalog>());
        services.AddSingleton<BotTurn>();
        services.AddOutside();
        return services;
    }
}
