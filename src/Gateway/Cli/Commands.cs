using System.CommandLine;
using Gateway.Data;

namespace Gateway.Cli;

/// <summary>
/// The command line: what runs and exits. Without a command the process serves. Standard output holds a command's answer
/// and nothing else, so that scripts can use it; remarks and refusals go to standard error.
/// </summary>
internal static class Commands
{
    /// <summary>Exit code when a command cannot be carried out as it is given or set up.</summary>
    public const int Refused = 2;

    /// <summary>Exit code when it could be, and something outside failed.</summary>
    public const int Failed = 1;

    private static readonly string[] AboutItself = ["--help", "-h", "-?", "/?", "/h", "--version"];

    /// <summary>Whether something other than serving is asked for, be it only help.</summary>
    public static bool IsCommand(string[] args) =>
        args.Any(AboutItself.Contains) || (args is [var first, ..] && first != ServeCommand.Name && !first.StartsWith('-'));

    /// <summary>What is left for the server's own settings, such as <c>--urls</c>.</summary>
    /// <exception cref="SettingsException">Something there is no setting.</exception>
    public static string[] ServeArguments(string[] args) => ServeCommand.Arguments(args);

    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync($"gateway: {error.Message}");
            }

            await Console.Error.WriteLineAsync($"See '{PathOf(parsed.CommandResult)} --help'.");
            return Refused;
        }

        // Signals are ours: a command that started the embedded database stops it again before it goes.
        using var stop = new ConsoleStop();
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        return await ExplainAsync(() => parsed.InvokeAsync(invocation, stop.Token));
    }

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
            await Console.Error.WriteLineAsync($"gateway: {busy.Message} Set ASPNETCORE_URLS, or Gateway__AdminUrls if it is that one, to another address.");
            return Refused;
        }
        // What Kestrel says of an address it cannot use, and nothing else of the start throws.
        catch (Exception wrong) when (wrong is FormatException or System.Net.Sockets.SocketException
            || (wrong is InvalidOperationException && wrong.Message.Contains("HTTPS", StringComparison.Ordinal)))
        {
            await Console.Error.WriteLineAsync(
                $"gateway: it cannot listen where ASPNETCORE_URLS or Gateway__AdminUrls says: {wrong.Message.Split('\n')[0].Trim()} "
                + "Expected addresses of this machine such as http://127.0.0.1:8080; put TLS in front.");
            return Refused;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Serves models and bots through one OpenAI-compatible API.")
        {
            ServeCommand.Make(),
            ApplyCommand.Make(),
            ExportCommand.Make(),
            KeysCommand.Make(),
            MigrateCommand.Make(),
            HealthCommand.Make(),
            SimulateCommand.Make(),
        };
        root.Description += " Without a command it serves.";
        foreach (var command in WithSubcommands(root).Where(c => c != root))
        {
            command.Options.Add(new VersionOption());
        }

        return root;
    }

    private static IEnumerable<Command> WithSubcommands(Command command) =>
        command.Subcommands.SelectMany(WithSubcommands).Prepend(command);

    private static string PathOf(System.CommandLine.Parsing.SymbolResult? result)
    {
        var names = new List<string>();
        for (; result is not null; result = result.Parent)
        {
            if (result is System.CommandLine.Parsing.CommandResult command)
            {
                names.Insert(0, command.Command is RootCommand ? "gateway" : command.Command.Name);
            }
        }

        return string.Join(' ', names);
    }
}
