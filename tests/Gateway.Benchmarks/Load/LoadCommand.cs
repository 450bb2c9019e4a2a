using System.Text.Json;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// The load generator, a process of its own so that it is the same for every system. Prints one line of JSON,
/// <see cref="LoadFigures"/>, on stdout; what went wrong on stderr.
/// <list type="bullet">
/// <item><c>requests</c>: closed loop over N connections for S seconds.</item>
/// <item><c>rate</c>: R requests a second whatever the system does, over at most N connections, for S seconds.</item>
/// <item><c>streams</c>: N streams at a time for S seconds, every chunk read and timed; for <c>bench-paced-N</c>.</item>
/// <item><c>chunks</c>: the same of unpaced streams, for chunks a second.</item>
/// <item><c>hold</c>: N requests in flight at once, held for S seconds, then answered; for <c>bench-held</c> with <c>--upstream</c>.
/// Prints the line <c>HOLDING</c> on stderr when the upstream has every body.</item>
/// <item><c>disconnect</c>: streams opened and left after their first chunk, <c>--count</c> in all, N at a time.</item>
/// </list>
/// </summary>
internal static class LoadCommand
{
    /// <returns>0; 1 when a reply was wrong or a connection failed; 2 when the arguments are.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        LoadOptions options;
        try
        {
            options = args is [var kind, ..]
                ? LoadOptions.Parse(kind, args.AsSpan(1))
                : throw new ArgumentException("which kind of load?");
        }
        catch (ArgumentException wrong)
        {
            errors.WriteLine(wrong.Message);
            return 2;
        }

        LoadFigures figures;
        try
        {
            using var run = Create(options, errors);
            figures = run.Run();
        }
        catch (Exception wrong) when (wrong is ArgumentException or IOException)
        {
            errors.WriteLine(wrong.Message);
            return 2;
        }

        output.WriteLine(JsonSerializer.Serialize(figures, LoadJson.Default.LoadFigures));
        if (figures.Errors == 0 || options.AllowsErrors)
        {
            return 0;
        }

        errors.WriteLine($"{figures.Errors} errors, the first: {figures.FirstError}");
        return 1;
    }

    private static LoadRun Create(LoadOptions options, TextWriter errors) => options.Kind switch
    {
        "requests" => new RequestsRun(options),
        "rate" => new RateRun(options),
        "streams" => new StreamsRun(options, isPaced: true),
        "chunks" => new StreamsRun(options, isPaced: false),
        "hold" => new HoldRun(options, errors),
        "disconnect" => new DisconnectRun(options),
        _ => throw new ArgumentException($"there is no load '{options.Kind}'"),
    };
}
