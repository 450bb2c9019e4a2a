using Microsoft.EntityFrameworkCore;

namespace Gateway.Data;

internal static class DataSetup
{
    public static IServiceCollection AddGatewayData(
        this IServiceCollection services, GatewaySettings settings, GatewayDatabase database, SecretBox box)
    {
        services.AddSingleton(settings);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(database.Source);
        services.AddSingleton(box);
        services.AddPooledDbContextFactory<GatewayDb>(options => options.UseNpgsql(database.Source), poolSize: 64);
        services.AddSingleton<DatabaseNews>();
        services.AddSingleton<JobSignal>();
        services.AddSingleton<ConfigFeed>();
        services.AddHostedService(s => s.GetRequiredService<ConfigFeed>());
        services.AddHostedService<DeletionTrim>();
        return services;
    }
}
