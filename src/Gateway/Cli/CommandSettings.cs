using System.Data.Common;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Cli;

/// <summary>What commands have in common with the server: its settings and its database.</summary>
internal static class CommandSettings
{
    /// <summary>The same sources as the server's, in the same order; logs nothing.</summary>
    public static IConfiguration Configuration() => WebApplication.CreateSlimBuilder().Configuration;

    /// <summary>
    /// Runs something with the database, which is started for it if it is embedded and stopped, and left as it was found.
    /// </summary>
    /// <param name="mayMigrate">False: a database that lacks migrations is refused.</param>
    /// <exception cref="SettingsException">The database cannot be used; the message says the way on.</exception>
    public static async Task<int> WithDatabaseAsync(
        bool mayMigrate, Func<GatewaySettings, GatewayDatabase, Task<int>> run, CancellationToken cancel)
    {
        var settings = GatewaySettings.Read(Configuration());
        try
        {
            await using var database = await GatewayDatabase.OpenAsync(
                settings, DatabaseUse.Command, mayMigrate, TimeProvider.System, Console.Error.WriteLine, cancel);
            return await run(settings, database);
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested && DatabaseTrouble(failed) is { } trouble)
        {
            await Console.Error.WriteLineAsync($"gateway: the database failed: {trouble}");
            return Commands.Failed;
        }
    }

    /// <summary>EF Core wraps what the driver throws, in one of two ways.</summary>
    private static string? DatabaseTrouble(Exception failed) => failed switch
    {
        DbException direct => direct.Message,
        DbUpdateException or InvalidOperationException => (failed.InnerException as DbException)?.Message,
        _ => null,
    };
}
