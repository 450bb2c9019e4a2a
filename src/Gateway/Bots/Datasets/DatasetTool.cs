using System.Text;
using System.Text.Json;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>Searches one dataset when the model asks for it.</summary>
internal sealed class DatasetTool(Dataset dataset, DatasetSearch search, ILogger log) : BotTool
{
    private const string Schema =
        """
        {"type":"object","properties":{"query":{"type":"string","description":"What to look for: a question or key words, in the language of the texts."},"filter":{"type":"object","description":"Only texts whose metadata match, such as {\"year\":{\"$gte\":2020}}. Leave it out unless you know the metadata. Operators: $eq, $ne, $gt, $gte, $lt, $lte, $in."}},"required":["query"]}
        """;

    private static readonly byte[] SchemaBytes = Encoding.UTF8.GetBytes(Schema);

    public override string Name { get; } = NameOf(dataset.Name);

    public override ToolKind Kind => ToolKind.Dataset;

    public override string Description { get; } =
        $"Searches {dataset.Name}{(dataset.Description.Length > 0 ? $": {dataset.Description}" : ".")} Returns passages with their sources.";

    public override ReadOnlyMemory<byte> Parameters => SchemaBytes;

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel)
    {
        if (!arguments.TryGetProperty("query", out var query) || query.ValueKind != JsonValueKind.String || TextOf(query) is not { Length: > 0 } text)
        {
            return ToolResult.Failed("Expected {\"query\": \"what to look for\"}, with a text that is not empty.");
        }

        string? wrong = null;
        var filter = arguments.TryGetProperty("filter", out var given) ? MetadataFilter.Read(given, out wrong) : null;
        return wrong is null
            ? await FindAsync(text, filter, turn, cancel)
            : ToolResult.Failed($"The filter cannot be used: {wrong}");
    }

    /// <summary>What a search says to the model, whoever asks for it.</summary>
    public async Task<ToolResult> FindAsync(string question, MetadataFilter? filter, TurnContext turn, CancellationToken cancel)
    {
        try
        {
            var found = await search.FindAsync(
                dataset, new SearchQuestion(question, filter, null, turn.Caller.Workspace, turn.Caller.KeyId), cancel);
            return new ToolResult(FoundText.Of(dataset, found, turn.Citations));
        }
        catch (NpgsqlException broken)
        {
            log.DatasetSearchFailed(dataset.Id, broken.SqlState ?? broken.GetType().Name);
            return ToolResult.Failed($"{dataset.Name} cannot be searched at the moment. Say so if the answer depends on it.");
        }
    }

    /// <summary><c>search_</c> and the dataset's name, with what a tool's name cannot have as <c>_</c>.</summary>
    private static string NameOf(string dataset)
    {
        var name = "search_" + string.Concat(dataset.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_'));
        return name[..Math.Min(64, name.Length)];
    }

    /// <summary>Null when it holds half of a surrogate pair.</summary>
    private static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString()?.Trim();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
