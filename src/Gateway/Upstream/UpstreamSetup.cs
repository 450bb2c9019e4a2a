using Gateway.Data;

namespace Gateway.Upstream;

internal static class UpstreamSetup
{
    public static IServiceCollection AddUpstream(this IServiceCollection services)
    {
        services.AddSingleton<Transport>();
        services.AddSingleton<Adjustments>();
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton<CircuitBreakers>();
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<Attempts>(s, new Random()));
        services.AddSingleton<ModelCalls>();
        services.AddSingleton<Embeddings>();
        services.AddHostedService<UpstreamGauges>();
        services.AddSingleton<ChatRelay>();
        services.AddSingleton<PlainRelay>();
        services.AddSingleton<Catalog>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<Catalog>());
        services.AddSingleton<ProviderModels>();
        services.AddHostedService(s => s.GetRequiredService<ProviderModels>());
        return services;
    }
}
