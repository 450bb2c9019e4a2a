using Gateway.Bots.Datasets;
using Gateway.Data;

namespace Gateway.Bots;

internal static class BotsSetup
{
    public static IServiceCollection AddBots(this IServiceCollection services)
    {
        services.AddSingleton<BotReader>();
        services.AddSingleton<BotCatalog>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<BotCatalog>());
        services.AddSingleton<IToolSource, TeamTools>();
        services.AddSingleton<HiddenSteps>();
        services.AddHostedService<HiddenStepCleanup>();
        services.AddSingleton<BotTurn>();
        services.AddOutside();
        services.AddDatasets();
        return services;
    }
}
