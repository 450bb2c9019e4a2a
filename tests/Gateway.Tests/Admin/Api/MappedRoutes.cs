using Gateway.Admin;
using Gateway.Bots;
using Gateway.Chat;
using Gateway.ChatKit;
using Gateway.Data;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Observability;
using Gateway.Passthrough;
using Gateway.Tests.Support;
using Gateway.Upstream;
using Gateway.Usage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Tests.Admin.Api;

/// <summary>The routes that the program maps, asked of routing itself and of no document.</summary>
internal static class MappedRoutes
{
    /// <summary>Such as <c>GET /v1/models/{selector}</c>, those of <c>/v1</c> and <c>/admin/v1</c>.</summary>
    public static async Task<IReadOnlyList<string>> ReadAsync(TestPostgres postgres, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-");
        var settings = new GatewaySettings
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: cancel),
            DataDirectory = folder.FullName,
            Demo = false,
        };
        await using var database = await GatewayDatabase.OpenAsync(settings, DatabaseUse.Serve, migrate: true, TimeProvider.System, _ => { }, cancel);
        using var installation = await Installation.OpenAsync(settings, database, TimeProvider.System, _ => { }, cancel);
        var ports = new AdminPorts(settings);
        var builder = WebApplication.CreateBuilder();
        builder.AddObservability(settings).AddHttpEdge(ports).Services
            .AddGatewayData(settings, database, installation.Box)
            .AddUsage().AddLimits().AddUpstream().AddBots().AddChat().AddChatKit().AddPassthrough().AddAdmin(installation);
        await using var app = builder.Build();
        app.MapChat();
        app.MapChatKit();
        app.MapPassthrough();
        app.MapAdmin();

        var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(e => (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method => $"{method} {Path(e)}"))
            .Where(route => route.Contains(" /v1/", StringComparison.Ordinal) || route.Contains(" /admin/v1/", StringComparison.Ordinal)).ToList();
        folder.Delete(recursive: true);
        return routes;
    }

    private static string Path(RouteEndpoint endpoint) => "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(
        segment => string.Concat(segment.Parts.Select(part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            _ => "?",
        }))));
}
