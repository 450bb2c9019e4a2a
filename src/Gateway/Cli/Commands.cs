using Gateway.Data;

namespace Gateway.Cli;

/// <summary>The command line: what runs and exits. Without a command the process serves.</summary>
internal static class Commands
{
    /// <summary>Exit code when a command cannot be carried out as it is set up.</summary>
    public const int Refused = 2;

    public static bool IsCommand(string[] args) => false;

    public static string[] ServeArguments(string[] args) => args is ["serve", .. var rest] ? rest : args;

    public static Task<int> RunAsync(string[] args) => Task.FromResult(Refused);

    /// <summary>Runs something that the operator's settings may forbid, and says in one line when they do.</summary>
    public static async Task<int> ExplainAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (SettingsException refused)
        {
            await Console.Error.WriteLineAsync($"gateway: {refused.Message}");
            return Refused;
        }
        catch (IOException busy) when (busy.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"gateway: {busy.Message} Set ASPNETCORE_URLS to another address.");
            return Refused;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }
}
