using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Benchmarks.Results;

/// <summary>Writes results.json: every figure of every round, for whoever computes something else from it.</summary>
internal static class RawJson
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Write(Surroundings where, BenchOptions options, Outcome outcome) =>
        JsonSerializer.Serialize(
            new { where.Date, where.Processor, where.Cores, where.MemoryGibibytes, where.System, where.Versions, options.CommandLine, options.Rounds, outcome.Lines, outcome.Repeated },
            Format) + "\n";
}
