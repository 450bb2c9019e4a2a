using System.CommandLine;
using Gateway.Data;
using Gateway.Simulator;

namespace Gateway.Cli;

internal static class SimulateCommand
{
    public static Command Make()
    {
        var urls = new Option<string>("--urls")
        {
            Description = "Where it listens, as http://host:port, several with ';'.",
            DefaultValueFactory = _ => "http://127.0.0.1:9100",
        };
        var command = new Command("simulate", "Runs the stand-in for an upstream alone: answers by rule, without a model.") { urls };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(urls)!, cancel));
        return command;
    }

    private static async Task<int> RunAsync(string urls, CancellationToken cancel)
    {
        await using var simulator = await StartAsync(urls, cancel);
        await Console.Out.WriteLineAsync($"simulator listens on {simulator.Address}v1");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C and SIGTERM are how it ends.
        }

        return 0;
    }

    private static async Task<SimulatorServer> StartAsync(string urls, CancellationToken cancel)
    {
        try
        {
            return await SimulatorServer.StartAsync(new SimulatorOptions { Urls = urls }, cancel);
        }
        catch (Exception refused) when (refused is IOException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new SettingsException($"--urls {urls}: {refused.Message}");
        }
    }
}
