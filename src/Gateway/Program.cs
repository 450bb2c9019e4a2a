using Gateway.Admin;
using Gateway.Bots;
using Gateway.Chat;
using Gateway.ChatKit;
using Gateway.Cli;
using Gateway.Data;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Observability;
using Gateway.Passthrough;
using Gateway.Simulator;
using Gateway.Upstream;
using Gateway.Usage;

// One executable: `gateway keys create …` runs and exits; `serve`, or no command at all, serves.
if (Commands.IsCommand(args))
{
    return await Commands.RunAsync(args);
}

return await Commands.ExplainAsync(async () =>
{
    // Settings are read once: watching files for them means watching all that is written below the working directory.
    var builder = WebApplication.CreateBuilder([.. Commands.ServeArguments(args), "--hostBuilder:reloadConfigOnChange=false"]);
    var settings = GatewaySettings.Read(builder.Configuration);
    var adminPorts = new AdminPorts(settings);
    using var stop = new ConsoleStop();

    await using var database = await GatewayDatabase.OpenAsync(
        settings, DatabaseUse.Serve, settings.Migrate, TimeProvider.System, Console.Out.WriteLine, stop.Token);
    using var installation = await Installation.OpenAsync(settings, database, TimeProvider.System, Console.Out.WriteLine, stop.Token);
    await using var simulator = settings.Demo ? await SimulatorServer.StartAsync(new SimulatorOptions(), stop.Token) : null;

    builder
        .AddObservability(settings)
        .AddHttpEdge(adminPorts)
        .Services
        .AddGatewayData(settings, database, installation.Box)
        .AddUsage()
        .AddLimits()
        .AddUpstream()
        .AddBots()
        .AddChat()
        .AddChatKit()
        .AddPassthrough()
        .AddAdmin(installation);

    await using var app = builder.Build();
    app.ListenAt(adminPorts);
    app.Services.GetRequiredService<KeyTable>().SetGlobalAdmin(installation.AdminKeyHash);
    if (simulator is not null)
    {
        app.Services.GetRequiredService<Catalog>().AddDemo(simulator.Address);
    }

    app.UseHttpEdge();
    var drain = app.Services.GetRequiredService<Drain>();
    app.MapHealth(() => drain.Phase != DrainPhase.Serving);
    app.MapChat();
    app.MapChatKit();
    app.MapPassthrough();
    app.MapAdmin();

    await app.StartAsync(stop.Token);
    StartLines.Print(app.Urls, settings, await FirstStart.MakeKeyAsync(database, TimeProvider.System, stop.Token));
    stop.HandOver();
    await app.WaitForShutdownAsync();
    return 0;
});
