using System.Globalization;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;
using static Gateway.Admin.ExportText;

namespace Gateway.Admin;

/// <summary>
/// Writes what the database holds as a <c>gateway.yaml</c>, a <c>${VARIABLE}</c> in place of each credential. Keys are not
/// in it: nobody has them but their owners. Nor are the records and files of datasets: a dataset that names no files keeps
/// those that it has, so that applying an export changes nothing.
/// </summary>
internal sealed class Exporter(GatewayDb db, SecretBox box)
{
    private readonly ExportText _yaml = new();

    /// <summary>Used once per instance.</summary>
    public async Task<string> ExportAsync(CancellationToken cancel)
    {
        // Ordered here and not by the database, whose collation is its own.
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        var providers = await db.Providers.AsNoTracking().ToListAsync(cancel);
        var models = await db.Models.AsNoTracking().Include(m => m.Deployments).ToListAsync(cancel);
        var workspaces = await db.Workspaces.AsNoTracking().ToListAsync(cancel);
        var secrets = await db.Secrets.AsNoTracking().ToListAsync(cancel);
        var embeddingModels = await db.EmbeddingModels.AsNoTracking().ToListAsync(cancel);
        var outside = await db.Outside.AsNoTracking().SingleOrDefaultAsync(cancel);
        var owned = await ExportWorkspace.LoadAsync(db, _yaml, cancel);

        var names = providers.ToDictionary(p => p.Id, p => p.Name);
        _yaml.List(0, "providers", providers.OrderBy(p => p.Name, StringComparer.Ordinal), Write);
        _yaml.List(0, "models", models.OrderBy(m => m.Name == Model.Wildcard).ThenBy(m => m.Name, StringComparer.Ordinal), m => Write(m, names));
        _yaml.List(0, "embeddingModels", embeddingModels.OrderBy(m => m.Name, StringComparer.Ordinal), m => Write(m, names));
        if (outside is not null)
        {
            Write(outside);
        }

        _yaml.List(0, "workspaces", workspaces.OrderBy(w => w.Name, StringComparer.Ordinal), workspace =>
        {
            _yaml.Item(2, ("name", YamlQuote.Scalar(workspace.Name)), ("limits", LimitsOf(workspace.Limits)));
            _yaml.List(
                4, "secrets", secrets.Where(s => s.WorkspaceId == workspace.Id).OrderBy(s => s.Name, StringComparer.Ordinal),
                s => _yaml.Item(6, ("name", YamlQuote.Scalar(s.Name)), ("value", _yaml.Variable(workspace.Name, s.Name))));
            owned.Write(workspace.Id);
        });
        return _yaml.ToString();
    }

    private void Write(EmbeddingModelRow row, Dictionary<Guid, string> providers) => _yaml.Item(
        2,
        ("name", YamlQuote.Scalar(row.Name)),
        ("provider", YamlQuote.Scalar(providers[row.ProviderId])),
        ("model", row.UpstreamModel is null || row.UpstreamModel == row.Name ? null : YamlQuote.Scalar(row.UpstreamModel)),
        ("dimensions", Number(row.Dimensions)),
        ("price", Map(("input", Number(row.PriceInput)))));

    private void Write(OutsideRow row)
    {
        var search = row.SearchKind is null ? null : Map(
            ("kind", row.SearchKind),
            ("url", row.SearchUrl is null ? null : YamlQuote.Scalar(row.SearchUrl)),
            ("apiKey", row.SearchApiKey is null ? null : _yaml.Variable("web_search", "api_key")));
        // Both sections always, or an export with nothing in them would be one that removes them.
        _yaml.Fields(
            0,
            ("web", Map(("search", search), ("fetch", row.CanFetch ? "true" : "false"))),
            ("egress", $"{{ allow: {Texts(row.EgressAllow) ?? "[]"} }}"));
    }

    private void Write(ProviderRow row)
    {
        var headers = row.Headers is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(
            box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal());
        _yaml.Item(
            2,
            ("name", YamlQuote.Scalar(row.Name)),
            ("baseUrl", YamlQuote.Scalar(row.BaseUrl)),
            ("apiKey", row.ApiKey is null ? null : _yaml.Variable(row.Name, "api_key")),
            ("headers", Map([.. (headers ?? []).Keys.Order(StringComparer.Ordinal).Select(h => (YamlQuote.Key(h), _yaml.Variable(row.Name, h)))])),
            ("maxConcurrency", Number(row.MaxConcurrency)));
    }

    private void Write(ModelRow row, Dictionary<Guid, string> providers)
    {
        _yaml.Item(2, ("name", YamlQuote.Scalar(row.Name)), ("workspaces", Texts(row.Workspaces)));
        _yaml.List(4, "deployments", row.Deployments.OrderBy(d => d.Position), d => _yaml.Line(6, "- " + Map(
            ("provider", YamlQuote.Scalar(providers[d.ProviderId])),
            ("model", d.UpstreamModel is null || d.UpstreamModel == row.Name ? null : YamlQuote.Scalar(d.UpstreamModel)),
            ("weight", Unless(1, d.Weight)),
            ("supportsPrefill", d.SupportsPrefill ? "true" : null))));

        var (clocks, breaker) = (FileTimeouts.Default, BreakerOptions.Default);
        _yaml.Fields(
            4,
            ("fallbacks", Texts(row.Fallbacks)),
            ("timeouts", Map(
                ("connect", Unless(clocks.Connect, row.ConnectMs)), ("headers", Unless(clocks.Headers, row.HeadersMs)),
                ("firstContent", Unless(clocks.FirstContent, row.FirstContentMs)), ("idle", Unless(clocks.Idle, row.IdleMs)),
                ("total", Unless(clocks.Total, row.TotalMs)))),
            ("retries", Unless(FileModel.DefaultRetries, row.Retries)),
            ("breaker", Map(
                ("failureRate", row.BreakerFailureRate == breaker.FailureRate ? null : row.BreakerFailureRate.ToString(CultureInfo.InvariantCulture)),
                ("minimum", Unless(breaker.Minimum, row.BreakerMinimum)),
                ("window", Unless(breaker.Window, row.BreakerWindowMs)),
                ("open", Unless(breaker.Open, row.BreakerOpenMs)))),
            ("rescue", row.Rescue switch { RescueMode.Off => "off", RescueMode.Replay => "replay", _ => null }),
            ("dropParams", Texts(row.DropParams)),
            ("contextTokens", Number(row.ContextTokens)),
            ("defaultOutputTokens", Number(row.DefaultOutputTokens)),
            ("price", Map(
                ("input", Number(row.PriceInput)), ("cachedInput", Number(row.PriceCachedInput)), ("output", Number(row.PriceOutput)))));
    }
}
