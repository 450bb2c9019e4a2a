using System.Globalization;
using Gateway.Benchmarks.Processes;

namespace Gateway.Benchmarks.Systems;

/// <summary>The servers that are programs of this assembly, and Portkey.</summary>
internal static class OtherServers
{
    /// <summary>This program, as a command to which its arguments are added.</summary>
    public static string Self { get; } = Environment.ProcessPath!;

    public static async Task<BenchSystem> StartUpstreamAsync(string folder, CancellationToken cancel)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var process = OwnProcess.Start("upstream", folder, [Self, "upstream", url]);
        await UntilUp.AnswersAsync(process, url, mustSucceed: false, cancel);
        return new BenchSystem(BenchSystem.Direct, url, process);
    }

    public static async Task<BenchSystem> StartYarpAsync(string folder, string upstream, CancellationToken cancel)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var process = OwnProcess.Start(BenchSystem.Yarp, folder, [Self, "yarp", url, upstream]);
        await UntilUp.AnswersAsync(process, url, mustSucceed: false, cancel);
        return new BenchSystem(BenchSystem.Yarp, url, process);
    }

    /// <param name="packages">The folder whose <c>node_modules</c> has Portkey.</param>
    public static async Task<BenchSystem> StartPortkeyAsync(string folder, string packages, CancellationToken cancel)
    {
        var port = FreePort.Next();
        var url = $"http://127.0.0.1:{port}";
        string[] command =
        [
            "node", "--require", Path.Combine(AppContext.BaseDirectory, "Systems", "loopback.cjs"),
            Path.Combine(packages, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js"),
            string.Create(CultureInfo.InvariantCulture, $"--port={port}"), "--headless",
        ];
        // As its own documentation starts it in production: without the page that shows every request.
        var process = OwnProcess.Start(
            BenchSystem.Portkey, folder, command, new Dictionary<string, string> { ["NODE_ENV"] = "production" });
        await UntilUp.AnswersAsync(process, url, mustSucceed: false, cancel);
        return new BenchSystem(BenchSystem.Portkey, url, process);
    }

    /// <summary>What Portkey asks of a request; the others let it pass unread.</summary>
    public static IReadOnlyList<string> PortkeyHeaders(string upstream) =>
        ["x-portkey-provider: openai", $"x-portkey-custom-host: {upstream}/v1"];
}
