using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// Writes what the database holds as a <c>gateway.yaml</c>, a <c>${VARIABLE}</c> in place of each credential. Keys are not
/// in it: nobody has them but their owners.
/// </summary>
internal sealed class Exporter(GatewayDb db, SecretBox box)
{
    private readonly StringBuilder _yaml = new();
    private readonly HashSet<string> _variables = new(StringComparer.Ordinal);

    /// <summary>Used once per instance.</summary>
    public async Task<string> ExportAsync(CancellationToken cancel)
    {
        // Ordered here and not by the database, whose collation is its own.
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        var providers = await db.Providers.AsNoTracking().ToListAsync(cancel);
        var models = await db.Models.AsNoTracking().Include(m => m.Deployments).ToListAsync(cancel);
        var workspaces = await db.Workspaces.AsNoTracking().ToListAsync(cancel);
        var secrets = await db.Secrets.AsNoTracking().ToListAsync(cancel);
        var bots = await db.Bots.AsNoTracking().ToListAsync(cancel);

        var names = providers.ToDictionary(p => p.Id, p => p.Name);
        List(0, "providers", providers.OrderBy(p => p.Name, StringComparer.Ordinal), Write);
        List(0, "models", models.OrderBy(m => m.Name == Model.Wildcard).ThenBy(m => m.Name, StringComparer.Ordinal), m => Write(m, names));
        List(0, "workspaces", workspaces.OrderBy(w => w.Name, StringComparer.Ordinal), workspace =>
        {
            Item(2, ("name", YamlQuote.Scalar(workspace.Name)), ("limits", Limits(workspace.Limits)));
            List(
                4, "secrets", secrets.Where(s => s.WorkspaceId == workspace.Id).OrderBy(s => s.Name, StringComparer.Ordinal),
                s => Item(6, ("name", YamlQuote.Scalar(s.Name)), ("value", Variable(workspace.Name, s.Name))));
            List(4, "bots", bots.Where(b => b.WorkspaceId == workspace.Id).OrderBy(b => b.Id, StringComparer.Ordinal), Write);
        });
        return _yaml.Length == 0 ? "{}\n" : _yaml.ToString();
    }

    private void Write(ProviderRow row)
    {
        var headers = row.Headers is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(
            box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal());
        Item(
            2,
            ("name", YamlQuote.Scalar(row.Name)),
            ("baseUrl", YamlQuote.Scalar(row.BaseUrl)),
            ("apiKey", row.ApiKey is null ? null : Variable(row.Name, "api_key")),
            ("headers", Map([.. (headers ?? []).Keys.Order(StringComparer.Ordinal).Select(h => (YamlQuote.Key(h), Variable(row.Name, h)))])),
            ("maxConcurrency", Number(row.MaxConcurrency)));
    }

    private void Write(ModelRow row, Dictionary<Guid, string> providers)
    {
        Item(2, ("name", YamlQuote.Scalar(row.Name)), ("workspaces", Texts(row.Workspaces)));
        List(4, "deployments", row.Deployments.OrderBy(d => d.Position), d => _yaml.Append("      - ").Append(Map(
            ("provider", YamlQuote.Scalar(providers[d.ProviderId])),
            ("model", d.UpstreamModel is null || d.UpstreamModel == row.Name ? null : YamlQuote.Scalar(d.UpstreamModel)),
            ("weight", Unless(1, d.Weight)),
            ("supportsPrefill", d.SupportsPrefill ? "true" : null))).Append('\n'));

        var (clocks, breaker) = (FileTimeouts.Default, BreakerOptions.Default);
        Fields(
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

    private void Write(BotRow row)
    {
        using var parameters = JsonDocument.Parse(row.Parameters);
        Item(
            6,
            ("id", YamlQuote.Scalar(row.Id)),
            ("name", row.Name == row.Id ? null : YamlQuote.Scalar(row.Name)),
            ("description", row.Description.Length == 0 ? null : YamlQuote.Lines(row.Description, 10)),
            ("model", YamlQuote.Scalar(row.Model)),
            ("backstory", row.Backstory.Length == 0 ? null : YamlQuote.Lines(row.Backstory, 10)),
            ("parameters", row.Parameters == "{}" ? null : YamlQuote.Json(parameters.RootElement)),
            ("lockedParameters", Texts(row.LockedParameters)),
            ("limits", Limits(row.Limits)));
    }

    private void List<T>(int indent, string name, IEnumerable<T> items, Action<T> write)
    {
        var isFirst = true;
        foreach (var item in items)
        {
            if (isFirst)
            {
                _yaml.Append(' ', indent).Append(name).Append(":\n");
            }

            write(item);
            isFirst = false;
        }
    }

    /// <summary>An item's fields, the first of which is always there.</summary>
    private void Item(int indent, params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        _yaml.Append(' ', indent).Append("- ").Append(fields[0].Name).Append(": ").Append(fields[0].Value).Append('\n');
        Fields(indent + 2, fields[1..]);
    }

    private void Fields(int indent, params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        foreach (var (name, value) in fields)
        {
            if (value is not null)
            {
                _yaml.Append(' ', indent).Append(name).Append(": ").Append(value).Append('\n');
            }
        }
    }

    /// <summary>Null when no field has a value.</summary>
    private static string? Map(params (string Name, string? Value)[] fields) =>
        fields.Where(f => f.Value is not null).Select(f => $"{f.Name}: {f.Value}").ToList() is { Count: > 0 } said
            ? $"{{ {string.Join(", ", said)} }}"
            : null;

    private static string? Texts(string[] texts) => texts.Length == 0 ? null : $"[{string.Join(", ", texts.Select(YamlQuote.Scalar))}]";

    private static string? Limits(LimitColumns columns) => Map(
        ("rpm", Number(columns.Rpm)), ("tpm", Number(columns.Tpm)), ("concurrent", Number(columns.Concurrent)),
        ("budget", LimitValues.From(columns)?.Budget is { } budget ? FileBudget.Format(budget) : null));

    private static string? Number(decimal? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? Unless(int usual, int value) => value == usual ? null : Number(value);

    private static string? Unless(TimeSpan usual, int milliseconds) =>
        TimeSpan.FromMilliseconds(milliseconds) is var time && time == usual ? null : FileDuration.Format(time);

    /// <summary>A variable of its own, in quotes, since braces stand in maps.</summary>
    private string Variable(params string[] parts)
    {
        var letters = string.Concat(string.Join('_', parts).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
        var wanted = char.IsAsciiDigit(letters[0]) ? $"_{letters}" : letters;
        var name = wanted;
        for (var again = 2; !_variables.Add(name); again++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{again}");
        }

        return $"\"${{{name}}}\"";
    }
}
