using System.CommandLine;
using Gateway.Admin;
using Gateway.Data;

namespace Gateway.Cli;

internal static class ExportCommand
{
    public static Command Make()
    {
        var command = new Command("export", "Prints what the database holds as a YAML file, without credentials. Applying it changes nothing.");
        command.SetAction((_, cancel) => CommandSettings.WithDatabaseAsync(
            mayMigrate: false, (settings, database) => ExportAsync(settings, database, cancel), cancel));
        return command;
    }

    private static async Task<int> ExportAsync(GatewaySettings settings, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        using var box = await LocalKeys.OpenBoxAsync(settings, database.Source, cancel);
        await Console.Out.WriteAsync(await new Exporter(db, box).ExportAsync(cancel));
        return 0;
    }
}
