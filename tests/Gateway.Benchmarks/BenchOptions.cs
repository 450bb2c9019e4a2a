using System.Globalization;

namespace Gateway.Benchmarks;

/// <summary>What <c>deploy/bench.sh</c> asks for: <c>run --name value …</c>.</summary>
internal sealed record BenchOptions
{
    /// <summary><c>--work</c>: an empty folder for everything that is of no use afterwards.</summary>
    public required string Work { get; init; }

    /// <summary><c>--gateway</c>: the published program.</summary>
    public required string Gateway { get; init; }

    /// <summary><c>--postgres</c>: the folder of the server's programs.</summary>
    public required string Postgres { get; init; }

    /// <summary><c>--portkey</c>: the folder with its <c>node_modules</c>; null: it is left out.</summary>
    public string? Portkey { get; init; }

    /// <summary><c>--results</c>: the folder for RESULTS.md and results.json; null: they are only printed.</summary>
    public string? Results { get; init; }

    /// <summary><c>--quick</c> (no value): P1, P2, P5 and P6, short.</summary>
    public bool IsQuick { get; init; }

    /// <summary><c>--only P1,P5</c>; empty: all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary><c>--targets "direct nginx"</c>: the systems to measure, where a line measures several; empty: all.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary><c>--rounds</c>.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary><c>--command</c>: what the user typed, for the report.</summary>
    public string CommandLine { get; init; } = "";

    /// <exception cref="ArgumentException">An unknown or incomplete option; the message says which.</exception>
    public static BenchOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new BenchOptions { Work = "", Gateway = "", Postgres = "" };
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--quick")
            {
                options = options with { IsQuick = true, Rounds = 3 };
            }
            else if (i + 1 < args.Length)
            {
                options = options.With(args[i], args[++i]);
            }
            else
            {
                throw new ArgumentException($"{args[i]} needs a value");
            }
        }

        return options is { Work.Length: > 0, Gateway.Length: > 0, Postgres.Length: > 0 }
            ? options
            : throw new ArgumentException("--work, --gateway and --postgres must be given");
    }

    private BenchOptions With(string name, string value) => name switch
    {
        "--work" => this with { Work = Path.GetFullPath(value) },
        "--gateway" => this with { Gateway = Path.GetFullPath(value) },
        "--postgres" => this with { Postgres = Path.GetFullPath(value) },
        "--portkey" => this with { Portkey = Path.GetFullPath(value) },
        "--results" => this with { Results = Path.GetFullPath(value) },
        "--only" => this with { Only = [.. Words(value).Select(word => word.ToUpperInvariant())] },
        "--targets" => this with { Targets = Words(value) },
        "--rounds" => this with { Rounds = Count(name, value) },
        "--command" => this with { CommandLine = value },
        _ => throw new ArgumentException($"unknown option {name}"),
    };

    private static string[] Words(string list) => list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    private static int Count(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{name} needs a number from 1 on, not '{value}'");
}
