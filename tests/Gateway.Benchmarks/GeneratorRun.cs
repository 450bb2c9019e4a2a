using System.Globalization;
using System.Text.Json;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Processes;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks;

/// <summary>A run of the load generator: <see cref="LoadCommand"/> as a process of its own, the same for every system.</summary>
/// <param name="Kind">Such as <c>requests</c>.</param>
/// <param name="Model">The model of the upstream.</param>
/// <param name="Seconds">How long is measured.</param>
/// <param name="Arguments">Further options, such as <c>--connections 32</c>.</param>
internal sealed record GeneratorRun(string Kind, string Model, double Seconds, string Arguments)
{
    /// <summary>What the system is asked for, where it is not <see cref="Model"/> as a model: <c>bot/id=…</c>.</summary>
    public string? Selector { get; init; }

    /// <summary>A file that is sent in place of the generator's own body.</summary>
    public string? BodyFile { get; init; }

    public string Command => $"Gateway.Benchmarks load {string.Join(' ', Common())} --target SYSTEM";

    /// <exception cref="InvalidOperationException">A reply was wrong or a connection failed.</exception>
    public async Task<LoadFigures> MeasureAsync(BenchSystem system, CancellationToken cancel)
    {
        List<string> command = [OtherServers.Self, "load", .. Common(), "--target", system.Url, "--key", system.Key];
        foreach (var header in system.Headers)
        {
            command.AddRange(["--header", header]);
        }

        if (BodyFile is not null)
        {
            command[command.IndexOf(Path.GetFileName(BodyFile))] = BodyFile;
        }

        var output = await OwnProcess.RunAsync(command, TimeSpan.FromSeconds((2 * Seconds) + 120), cancel);
        return JsonSerializer.Deserialize(output, LoadJson.Default.LoadFigures)!;
    }

    private List<string> Common()
    {
        List<string> words =
        [
            Kind, "--model", Selector ?? Models.Selector(Model), "--seconds", Seconds.ToString(CultureInfo.InvariantCulture),
            .. Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        if (Selector is not null)
        {
            words.AddRange(["--replies-as", Model]);
        }

        if (BodyFile is not null)
        {
            words.AddRange(["--body", Path.GetFileName(BodyFile)]);
        }

        return words;
    }
}
