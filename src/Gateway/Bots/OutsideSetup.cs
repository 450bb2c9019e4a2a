using System.Net;
using Gateway.Bots.Abilities;
using Gateway.Bots.Egress;
using Gateway.Bots.Web;
using Gateway.Data;

namespace Gateway.Bots;

/// <summary>What bots have of the world outside: the guard, abilities, and the web.</summary>
internal static class OutsideSetup
{
    public static IServiceCollection AddOutside(this IServiceCollection services)
    {
        services.AddSingleton<OutsideSettings>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<OutsideSettings>());
        services.AddSingleton<ResolveName>(_ => Dns.GetHostAddressesAsync);
        services.AddSingleton<EgressGuard>();
        services.AddSingleton<McpServers>();
        services.AddSingleton<IConfigReader>(s => s.GetRequiredService<McpServers>());
        services.AddSingleton<AbilityTools>();
        services.AddSingleton<IToolSource>(s => s.GetRequiredService<AbilityTools>());
        services.AddSingleton<IToolSource, WebTools>();
        return services;
    }
}
