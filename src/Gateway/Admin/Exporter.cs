using System.Globalization;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;
using static Gateway.Admin.ExportText;

namespace Gateway.Admin;

/// <summary>
/// Writes what the database holds as a <c>gateway.yaml</c>. Credentials are not in it, and applying it keeps those that are
/// there. Keys are not in it either: nobody has them but their owners. Nor are the records and files of datasets: a dataset
/// that names no files keeps those that it has. What the API made is left to the API. So applying an export changes nothing.
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
            _yaml.Item(2, ("name", YamlQuote.Scalar(workspace.Name)), ("managed", Manager(workspace.Managed)), ("limits", LimitsOf(workspace.Limits)));
            _yaml.List(
                4, "secrets", secrets.Where(s => s.WorkspaceId == workspace.Id).OrderBy(s => s.Name, StringComparer.Ordinal),
                s => _yaml.Item(6, ("name", YamlQuote.Scalar(s.Name)), ("managed", Manager(s.Managed))));
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
        ("price", Map(("input", Number(row.PriceInput)))),
        ("managed", Manager(row.Managed)));

    private void Write(OutsideRow row)
    {
        var search = row.SearchKind is null ? null : Map(
            ("kind", row.SearchKind),
            ("url", row.SearchUrl is null ? null : YamlQuote.Scalar(row.SearchUrl)),
            ("keepCredentials", row.SearchApiKey is null ? null : "true"));
        // Both sections always, or an export with nothing in them would be one that removes them.
        _yaml.Fields(
            0,
            ("web", Map(("search", search), ("fetch", row.CanFetch ? "true" : "false"), ("managed", Manager(row.Managed)))),
            ("egress", Map(("allow", Texts(row.EgressAllow) ?? "[]"), ("managed", Manager(row.Managed)))));
    }

    private void Write(ProviderRow row)
    {
        var headers = row.Headers is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(
            box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal());
        _yaml.Item(
            2,
            ("name", YamlQuote.Scalar(row.Name)),
            ("baseUrl", YamlQuote.Scalar(row.BaseUrl)),
            ("keepCredentials", row.ApiKey is null && headers is null ? null : "true"),
            ("maxConcurrency", Number(row.MaxConcurrency)),
            ("managed", Manager(row.Managed)));
        if (headers is not null)
        {
            _yaml.Line(4, $"# its headers are not in an export, and stay while 'keepCredentials' is true: {string.Join(", ", headers.Keys.Order(StringComparer.Ordinal))}");
        }
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
                ("input", Number(row.PriceInput)), ("cachedInput", Number(row.PriceCachedInput)), ("output", Number(row.PriceOutput)))),
            ("managed", Manager(row.Managed)));
    }
}
