using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;
using static Gateway.Admin.ExportText;

namespace Gateway.Admin;

/// <summary>Writes the datasets, skillsets and bots of workspaces.</summary>
internal sealed class ExportWorkspace
{
    private const int MostFiles = 20;

    private readonly ExportText _yaml;
    private readonly ILookup<Guid, DatasetRow> _datasets;
    private readonly ILookup<Guid, string> _files;
    private readonly ILookup<Guid, SkillsetRow> _skillsets;
    private readonly ILookup<Guid, BotRow> _bots;

    private ExportWorkspace(
        ExportText yaml, List<DatasetRow> datasets, ILookup<Guid, string> files, List<SkillsetRow> skillsets, List<BotRow> bots)
    {
        _yaml = yaml;
        _files = files;
        // Ordered here and not by the database, whose collation is its own.
        _datasets = datasets.OrderBy(d => d.Name, StringComparer.Ordinal).ToLookup(d => d.WorkspaceId);
        _skillsets = skillsets.OrderBy(s => s.Name, StringComparer.Ordinal).ToLookup(s => s.WorkspaceId);
        _bots = bots.OrderBy(b => b.Id, StringComparer.Ordinal).ToLookup(b => b.WorkspaceId);
    }

    public static async Task<ExportWorkspace> LoadAsync(GatewayDb db, ExportText yaml, CancellationToken cancel)
    {
        var files = await db.DatasetFiles.AsNoTracking().Select(f => new { f.DatasetId, f.Name }).ToListAsync(cancel);
        return new ExportWorkspace(
            yaml,
            await db.Datasets.AsNoTracking().ToListAsync(cancel),
            files.OrderBy(f => f.Name, StringComparer.Ordinal).ToLookup(f => f.DatasetId, f => f.Name),
            await db.Skillsets.AsNoTracking().Include(s => s.Abilities).ToListAsync(cancel),
            await db.Bots.AsNoTracking().ToListAsync(cancel));
    }

    public void Write(Guid workspace)
    {
        _yaml.List(4, "datasets", _datasets[workspace], Write);
        _yaml.List(4, "skillsets", _skillsets[workspace], Write);
        _yaml.List(4, "bots", _bots[workspace], Write);
    }

    private void Write(DatasetRow row)
    {
        _yaml.Item(
            6,
            ("name", YamlQuote.Scalar(row.Name)),
            ("description", Prose(row.Description, 10)),
            ("enabled", row.IsEnabled ? null : "false"),
            ("language", row.Language == FileDataset.DefaultLanguage ? null : YamlQuote.Scalar(row.Language)),
            ("embeddingModel", row.EmbeddingModel is null ? null : YamlQuote.Scalar(row.EmbeddingModel)),
            ("chunkTokens", Unless(FileDataset.DefaultChunkTokens, row.ChunkTokens)),
            // Its default depends on the other number.
            ("overlapTokens", row is { ChunkTokens: FileDataset.DefaultChunkTokens, OverlapTokens: FileDataset.DefaultOverlapTokens } ? null : Number(row.OverlapTokens)),
            ("searchMaxRecords", Unless(FileDataset.DefaultMaxRecords, row.SearchMaxRecords)),
            ("searchMinScore", row.SearchMinScore == 0 ? null : row.SearchMinScore.ToString("0.##################", CultureInfo.InvariantCulture)),
            ("searchMaxTokens", Unless(FileDataset.DefaultMaxTokens, row.SearchMaxTokens)),
            ("matchInstruction", Prose(row.MatchInstruction, 10)),
            ("mismatchInstruction", Prose(row.MismatchInstruction, 10)),
            ("managed", Manager(row.Managed)));
        var files = _files[row.Id].ToList();
        if (files.Count > 0)
        {
            var more = files.Count > MostFiles ? $" and {files.Count - MostFiles} more" : "";
            _yaml.Line(8, $"# its files are not in an export, and stay while 'files' is left out: {string.Join(", ", files.Take(MostFiles).Select(YamlQuote.Scalar))}{more}");
        }
    }

    private void Write(SkillsetRow row)
    {
        _yaml.Item(
            6, ("name", YamlQuote.Scalar(row.Name)), ("description", Prose(row.Description, 10)), ("enabled", row.IsEnabled ? null : "false"),
            ("managed", Manager(row.Managed)));
        _yaml.List(8, "abilities", row.Abilities.OrderBy(a => a.Position), Write);
    }

    private void Write(AbilityRow row)
    {
        using var document = JsonDocument.Parse(row.Settings);
        var settings = document.RootElement;
        _yaml.Item(
            10,
            ("name", YamlQuote.Scalar(row.Name)),
            ("description", Prose(row.Description, 14)),
            ("parameters", Json(row.Parameters, "{}")));
        _yaml.Line(12, row.Kind == AbilityKind.Http ? "http:" : "mcp:");
        var timeout = row.Kind == AbilityKind.Http ? FileAbility.DefaultHttpTimeout : FileAbility.DefaultMcpTimeout;
        _yaml.Fields(
            14,
            ("method", Text(settings, "method") is { } method && method != FileAbility.DefaultMethod ? method : null),
            ("url", Text(settings, "url") is { } url ? YamlQuote.Scalar(url) : null),
            ("headers", settings.TryGetProperty("headers", out var headers) ? YamlQuote.Json(headers) : null),
            ("body", Text(settings, "body") is { } body ? YamlQuote.Lines(body, 16) : null),
            ("tools", settings.TryGetProperty("tools", out var tools) ? YamlQuote.Json(tools) : null),
            ("timeout", settings.TryGetProperty("timeout", out var time) ? Unless(timeout, time.GetInt32()) : null),
            ("maxBytes", settings.TryGetProperty("maxBytes", out var most) ? Unless(FileAbility.DefaultMaxBytes, most.GetInt32()) : null),
            ("pick", Text(settings, "pick") is { } pick ? YamlQuote.Scalar(pick) : null));
    }

    private void Write(BotRow row) => _yaml.Item(
        6,
        ("id", YamlQuote.Scalar(row.Id)),
        ("name", row.Name == row.Id ? null : YamlQuote.Scalar(row.Name)),
        ("description", Prose(row.Description, 10)),
        ("model", YamlQuote.Scalar(row.Model)),
        ("backstory", Prose(row.Backstory, 10)),
        ("parameters", Json(row.Parameters, "{}")),
        ("lockedParameters", Texts(row.LockedParameters)),
        ("datasets", Json(row.Datasets, "[]")),
        ("skillsets", Texts(row.Skillsets)),
        ("webSearch", row.WebSearch ? "true" : null),
        ("clientTools", Json(row.ClientTools, "[]")),
        ("team", Json(Without(row.Team, "description"), "[]")),
        ("limits", LimitsOf(
            row.Limits,
            ("steps", Number(row.Turn.Steps)), ("toolCalls", Number(row.Turn.ToolCalls)), ("depth", Number(row.Turn.Depth)),
            ("seconds", Number(row.Turn.Seconds)), ("turnBudget", row.Turn.BudgetUsd is { } usd ? FileBudget.FormatMoney(usd) : null))),
        ("exposeSteps", row.ExposeSteps ? "true" : null),
        ("managed", Manager(row.Managed)));

    private static string? Prose(string text, int indent) => text.Length == 0 ? null : YamlQuote.Lines(text, indent);

    private static string? Json(string json, string empty)
    {
        using var document = JsonDocument.Parse(json);
        return json == empty ? null : YamlQuote.Json(document.RootElement);
    }

    /// <summary>Items of an array without a text that is empty, which the file cannot say.</summary>
    private static string Without(string json, string member)
    {
        var items = JsonNode.Parse(json)!.AsArray();
        foreach (var item in items.Where(i => (string?)i![member] == ""))
        {
            item!.AsObject().Remove(member);
        }

        return items.ToJsonString();
    }

    private static string? Text(JsonElement settings, string name) =>
        settings.TryGetProperty(name, out var value) ? value.GetString() : null;
}
