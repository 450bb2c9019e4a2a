using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin.Api;

/// <summary>What an object's row does not say itself, but is shown with it.</summary>
/// <param name="Workspace">The name of its owner; empty for what belongs to no workspace.</param>
/// <param name="Providers">Names by id.</param>
/// <param name="Box">Opens what is sealed: the names of headers are shown, never a value.</param>
internal sealed record Surroundings(string Workspace, IReadOnlyDictionary<Guid, string> Providers, SecretBox Box);

/// <summary>The values that all shown objects have.</summary>
internal static class Shown
{
    public static string Managed(ManagedBy managed) => managed == ManagedBy.File ? "file" : "api";

    public static long Seconds(DateTime utc) => new DateTimeOffset(utc, TimeSpan.Zero).ToUnixTimeSeconds();

    /// <summary>An empty text is one that is not set.</summary>
    public static string? Text(string text) => text.Length == 0 ? null : text;

    public static string Time(int milliseconds) => FileDuration.Format(TimeSpan.FromMilliseconds(milliseconds));

    public static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(t => JsonValue.Create(t))];

    public static JsonObject Limits(LimitColumns columns) => new()
    {
        ["rpm"] = columns.Rpm,
        ["tpm"] = columns.Tpm,
        ["concurrent"] = columns.Concurrent,
        ["budget"] = LimitValues.From(columns)?.Budget is { } budget ? Budget(budget) : null,
    };

    private static JsonObject Budget(Budget budget)
    {
        var shown = new JsonObject();
        if (budget.Usd is { } usd)
        {
            shown["usd"] = usd;
        }
        else
        {
            shown["tokens"] = budget.Tokens;
        }

        shown["per"] = budget.Per == BudgetPer.Day ? "day" : "month";
        return shown;
    }
}
