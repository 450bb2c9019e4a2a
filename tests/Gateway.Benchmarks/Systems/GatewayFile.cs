using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Systems;

/// <summary>The configuration that the measured gateways have.</summary>
internal static class GatewayFile
{
    /// <summary>A model that is not rescued; the plain <c>bench</c> is.</summary>
    public const string WithoutRescue = "bench-rescue-off";

    private const string Backstory =
        "You are the support assistant of ACME, which sells tools for gardens. Today is {date}. Answer briefly and to the point. "
        + "Name the number of an order only when the customer named it first. When you do not know, say so and offer to ask a "
        + "colleague. Never promise a refund; say what the rules are and where they stand. Speak the customer's language.";

    /// <param name="upstream">Scheme, host and port of the benchmark's upstream.</param>
    /// <param name="models">Further models, by the name that the upstream knows them by.</param>
    /// <param name="moreModels">How many models there are beside those that are used.</param>
    /// <param name="datasetFiles">A pattern of files that a bot <c>reader</c> always searches; null: there is none.</param>
    public static string Write(string upstream, IEnumerable<string> models, int moreModels = 0, string? datasetFiles = null)
    {
        var text = new StringBuilder();
        text.AppendLine("providers:");
        text.AppendLine($"  - {{ name: bench, baseUrl: \"{upstream}/v1\", apiKey: none }}");
        text.AppendLine("models:");
        foreach (var model in models.Prepend("bench-brief").Prepend("bench").Distinct())
        {
            AddModel(text, model, model, "prefill");
        }

        AddModel(text, WithoutRescue, "bench", "off");
        for (var number = 1; number <= moreModels; number++)
        {
            AddModel(text, string.Create(CultureInfo.InvariantCulture, $"other-{number}"), "bench", "prefill");
        }

        text.AppendLine("workspaces:");
        text.AppendLine("  - name: default");
        if (datasetFiles is not null)
        {
            text.AppendLine("    datasets:");
            text.AppendLine($"      - {{ name: shelf, description: All that was written., language: english, files: [\"{datasetFiles}\"] }}");
        }

        text.AppendLine("    bots:");
        AddBot(text, "support", null);
        if (datasetFiles is not null)
        {
            AddBot(text, "reader", "[ { name: shelf, mode: always } ]");
        }

        return text.ToString();
    }

    private static void AddModel(StringBuilder text, string name, string upstreamName, string rescue)
    {
        text.AppendLine($"  - name: {name}");
        // With a prefix that it takes, a rescue is possible, and so everything that was sent is remembered.
        text.AppendLine($"    deployments: [ {{ provider: bench, model: {upstreamName}, supportsPrefill: true }} ]");
        text.AppendLine($"    rescue: {rescue}");
        text.AppendLine("    price: { input: 0.01, output: 0.01 }");
    }

    private static void AddBot(StringBuilder text, string id, string? datasets)
    {
        text.AppendLine($"      - id: {id}");
        text.AppendLine("        model: bench-brief");
        text.AppendLine($"        backstory: \"{Backstory}\"");
        text.AppendLine("        parameters: { temperature: 0.2 }");
        if (datasets is not null)
        {
            text.AppendLine($"        datasets: {datasets}");
        }
    }
}
