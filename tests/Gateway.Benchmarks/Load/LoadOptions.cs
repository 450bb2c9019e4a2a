using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>What one run of the load generator does: <c>load KIND --name value …</c>.</summary>
internal sealed record LoadOptions
{
    /// <summary><c>requests</c>, <c>rate</c>, <c>streams</c>, <c>chunks</c>, <c>hold</c> or <c>disconnect</c>; see <see cref="LoadCommand"/>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>--target</c>: scheme, host and port of the system.</summary>
    public required Uri Target { get; init; }

    /// <summary><c>--path</c>.</summary>
    public string Path { get; init; } = "/v1/chat/completions";

    /// <summary><c>--key</c>: the bearer token.</summary>
    public string Key { get; init; } = "none";

    /// <summary><c>--model</c>: as the system is asked for it; what is expected of the reply follows from it, see <see cref="BenchModel"/>.</summary>
    public string Model { get; init; } = "model/name=bench";

    /// <summary>
    /// <c>--replies-as</c>: the model at the upstream that the reply comes from, where <see cref="Model"/> does not say it, as
    /// with <c>bot/id=</c>.
    /// </summary>
    public string? RepliesAs { get; init; }

    /// <summary><c>--header "name: value"</c>, any number of times: such as those that Portkey asks for.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary><c>--body</c>: a file with the whole body to send, in place of the built-in one; the model in it is the file's.</summary>
    public string? BodyFile { get; init; }

    /// <summary><c>--body-bytes</c>: the built-in body is filled up with text to this length. 0: about 250 bytes.</summary>
    public int BodyBytes { get; init; }

    /// <summary><c>--connections</c>.</summary>
    public int Connections { get; init; } = 32;

    /// <summary><c>--seconds</c>: how long is measured; for <c>hold</c>, how long the requests are held.</summary>
    public double Seconds { get; init; } = 5;

    /// <summary><c>--warmup</c>: seconds of the same before, of which nothing is counted. Not for <c>hold</c>.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary><c>--rate</c>: requests a second, for <c>rate</c>.</summary>
    public double Rate { get; init; } = 100;

    /// <summary><c>--count</c>: streams to open and leave, for <c>disconnect</c>.</summary>
    public int Count { get; init; } = 1000;

    /// <summary><c>--upstream</c>: where <see cref="BenchUpstream"/> itself listens, for <c>hold</c>, which asks it what has arrived.</summary>
    public Uri? Upstream { get; init; }

    /// <summary><c>--allow-errors</c> (no value): wrong replies are counted and the exit code stays 0.</summary>
    public bool AllowsErrors { get; init; }

    /// <summary>What the reply is expected to be.</summary>
    public BenchModel Expected => BenchModel.Parse(RepliesAs ?? Model);

    /// <exception cref="ArgumentException">An unknown or incomplete option; the message says which.</exception>
    public static LoadOptions Parse(string kind, ReadOnlySpan<string> args)
    {
        var options = new LoadOptions { Kind = kind, Target = new Uri("http://127.0.0.1") };
        var hasTarget = false;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--allow-errors")
            {
                options = options with { AllowsErrors = true };
                continue;
            }

            if (i + 1 == args.Length)
            {
                throw new ArgumentException($"{args[i]} needs a value");
            }

            hasTarget |= args[i] == "--target";
            options = options.With(args[i], args[++i]);
        }

        return hasTarget ? options : throw new ArgumentException("--target is missing");
    }

    private LoadOptions With(string name, string value) => name switch
    {
        "--target" => this with { Target = Address(name, value) },
        "--path" => this with { Path = value },
        "--key" => this with { Key = value },
        "--model" => this with { Model = value },
        "--replies-as" => this with { RepliesAs = value },
        "--header" => this with { Headers = [.. Headers, value] },
        "--body" => this with { BodyFile = value },
        "--body-bytes" => this with { BodyBytes = (int)Number(name, value) },
        "--connections" => this with { Connections = (int)Number(name, value) },
        "--seconds" => this with { Seconds = Number(name, value) },
        "--warmup" => this with { WarmUpSeconds = Number(name, value) },
        "--rate" => this with { Rate = Number(name, value) },
        "--count" => this with { Count = (int)Number(name, value) },
        "--upstream" => this with { Upstream = Address(name, value) },
        _ => throw new ArgumentException($"unknown option {name}"),
    };

    private static double Number(string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ArgumentException($"{name} needs a number, not '{value}'");

    private static Uri Address(string name, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp
            ? uri
            : throw new ArgumentException($"{name} needs an address such as http://127.0.0.1:8080, not '{value}'");
}
