using System.CommandLine;

namespace Gateway.Cli;

internal static class MigrateCommand
{
    public static Command Make()
    {
        var command = new Command("migrate", "Brings the database to this version, also where Gateway__Migrate is false.");
        // Opening the database does it, and says on standard error what it applies.
        command.SetAction((_, cancel) => CommandSettings.WithDatabaseAsync(mayMigrate: true, (_, _) => DoneAsync(), cancel));
        return command;
    }

    private static async Task<int> DoneAsync()
    {
        await Console.Out.WriteLineAsync("the database is up to date");
        return 0;
    }
}
