using System.CommandLine;
using Gateway.Admin;
using Gateway.Data;

namespace Gateway.Cli;

internal static class ApplyCommand
{
    public static Command Make()
    {
        var file = new Option<string>("--file", "-f")
        {
            Description = "The YAML file.",
            HelpName = "FILE",
            Required = true,
        };
        var prune = new Option<bool>("--prune")
        {
            Description = "Also remove what a file made before and this one does not name, workspaces with all that they own.",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would change and change nothing." };
        var command = new Command("apply", "Makes the database match a YAML file, all or nothing, and prints what changed.") { file, prune, dryRun };
        command.SetAction((parsed, cancel) => CommandSettings.WithDatabaseAsync(
            mayMigrate: false,
            (settings, database) => ApplyAsync(
                parsed.GetValue(file)!, new ApplyOptions(parsed.GetValue(prune), parsed.GetValue(dryRun)) { By = Actor.CommandLine }, settings, database, cancel),
            cancel));
        return command;
    }

    private static async Task<int> ApplyAsync(
        string path, ApplyOptions options, GatewaySettings settings, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        using var box = await LocalKeys.OpenBoxAsync(settings, database.Source, cancel);
        var source = await ApplySource.ReadAsync(path, box, new ApplyFiles(TimeProvider.System), cancel);
        var outcome = await new Applier(db, box, settings, TimeProvider.System).ApplyAsync(source, options, cancel);
        foreach (var error in outcome.Errors)
        {
            await Console.Error.WriteLineAsync(source.Describe(error));
        }

        if (outcome.Errors.Count > 0)
        {
            return Commands.Refused;
        }

        foreach (var warning in outcome.Warnings)
        {
            await Console.Error.WriteLineAsync($"warning: {source.Describe(warning)}");
        }

        foreach (var change in outcome.Changes.DefaultIfEmpty(options.DryRun ? "= nothing would change" : "= nothing to do"))
        {
            Console.WriteLine(change);
        }

        return 0;
    }
}
