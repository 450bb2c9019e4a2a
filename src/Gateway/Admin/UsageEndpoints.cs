using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Data;
using Gateway.Http;
using Gateway.Usage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;

namespace Gateway.Admin;

/// <summary><c>GET /admin/v1/usage</c>. A workspace's admin key sees its own workspace alone, the operator's all or one.</summary>
internal static class UsageEndpoints
{
    private const int MostLines = 10_000;
    private const int MostDays = 800;
    private const int DefaultDays = 30;

    private static readonly string[] Known = ["group_by", "start", "end", "workspace", "format"];

    // A report is no page: what HTML would take for its own is left as it is.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IEndpointRouteBuilder MapUsage(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/usage", ReportAsync).WithMetadata(
            new RouteDoc("Sums requests, tokens and money up.") { Query = Known });
        return admin;
    }

    private static async Task<IResult> ReportAsync(
        HttpContext http, UsageReport report, GatewayDb db, TimeProvider clock, CancellationToken cancel)
    {
        var query = http.Request.Query;
        if (!TryRead(query, clock.GetUtcNow().UtcDateTime, out var question, out var isCsv, out var wrong))
        {
            return wrong!.ToResult();
        }

        var caller = RequestFacts.Of(http).Caller!;
        var workspace = caller.WorkspaceId;
        if (query["workspace"].FirstOrDefault() is { } named)
        {
            workspace = await FindAsync(db, caller, named, cancel);
            if (workspace is null)
            {
                return ApiError.NotFound("workspace").ToResult();
            }
        }

        return await report.ReadAsync(question with { Workspace = workspace }, cancel) switch
        {
            null => ApiError.InvalidValue("group_by", $"this gives more than {MostLines} lines; ask for a shorter time or fewer groups.").ToResult(),
            var lines when isCsv => Results.Text(Csv(lines), "text/csv; charset=utf-8", Encoding.UTF8),
            var lines => Results.Bytes(Json(lines), "application/json"),
        };
    }

    /// <summary>By name or id; the id also finds one that is deleted. The same answer for none and another's.</summary>
    private static async Task<Guid?> FindAsync(GatewayDb db, Caller caller, string named, CancellationToken cancel)
    {
        if (caller.WorkspaceId is { } own)
        {
            return named == caller.Workspace || (Guid.TryParse(named, out var id) && id == own) ? own : null;
        }

        return await db.Workspaces.Where(w => w.Name == named).Select(w => (Guid?)w.Id).SingleOrDefaultAsync(cancel)
            ?? (Guid.TryParse(named, out var given) ? given : null);
    }

    private static bool TryRead(IQueryCollection query, DateTime now, out UsageQuestion question, out bool isCsv, out ApiError? error)
    {
        question = null!;
        isCsv = false;
        error = query.Keys.FirstOrDefault(name => !Known.Contains(name)) is { } unknown
            ? ApiError.InvalidValue(unknown, $"unknown parameter; expected one of: {string.Join(", ", Known)}.")
            : query.FirstOrDefault(p => p.Value.Count > 1) is { Key: not null } twice
            ? ApiError.InvalidValue(twice.Key, "given more than once.")
            : null;
        if (error is not null || !TryGroups(query["group_by"], out var groups, out error)
            || !TryTime(query, "end", now, out var end, out error)
            || !TryTime(query, "start", end.Date.AddDays(-DefaultDays), out var start, out error))
        {
            return false;
        }

        var format = query["format"].FirstOrDefault() ?? "json";
        error = start >= end ? ApiError.InvalidValue("start", "it is not before 'end'.")
            : end - start > TimeSpan.FromDays(MostDays) ? ApiError.InvalidValue("start", $"at most {MostDays} days before 'end'.")
            : format is not ("json" or "csv") ? ApiError.InvalidValue("format", "expected 'json' or 'csv'.")
            : query["workspace"].FirstOrDefault() is { } name && (name.Length == 0 || name.Any(char.IsControl))
            ? ApiError.InvalidValue("workspace", "expected a workspace's name, without control characters.")
            : null;
        isCsv = format == "csv";
        question = new UsageQuestion(null, start, end, groups, MostLines);
        return error is null;
    }

    private static bool TryGroups(StringValues given, out IReadOnlyList<UsageGroup> groups, out ApiError? error)
    {
        var read = new List<UsageGroup>();
        error = null;
        foreach (var name in (given.FirstOrDefault() ?? "day").Split(','))
        {
            UsageGroup? group = name switch
            {
                "day" => UsageGroup.Day,
                "workspace" => UsageGroup.Workspace,
                "key" => UsageGroup.Key,
                "bot" => UsageGroup.Bot,
                "model" => UsageGroup.Model,
                _ => null,
            };
            if (group is not { } known || read.Contains(known))
            {
                error = ApiError.InvalidValue("group_by", "expected some of day, workspace, key, bot, model, each once, with commas.");
                break;
            }

            read.Add(known);
        }

        groups = read;
        return error is null;
    }

    /// <summary>A day, a time with its offset, or seconds since 1970; UTC.</summary>
    public static bool TryTime(IQueryCollection query, string name, DateTime otherwise, out DateTime time, out ApiError? error)
    {
        error = null;
        time = otherwise;
        if (query[name].FirstOrDefault() is not { } text)
        {
            return true;
        }

        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            time = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        }
        else if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
        {
            time = DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime;
        }
        else if (text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
        {
            time = moment.UtcDateTime;
        }
        else
        {
            error = ApiError.InvalidValue(name, "expected a day such as 2026-11-21, a time such as 2026-11-21T10:00:00Z, or seconds since 1970.");
        }

        if (error is null && time.Year is < 1971 or > 9_000)
        {
            error = ApiError.InvalidValue(name, "expected a time of this age.");
        }

        return error is null;
    }

    private static byte[] Json(UsageLines lines)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(4_096);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var line in lines.Lines)
            {
                json.WriteStartObject();
                for (var i = 0; i < line.Length; i++)
                {
                    json.WritePropertyName(lines.Columns[i]);
                    switch (line[i])
                    {
                        case null:
                            json.WriteNullValue();
                            break;
                        case long number:
                            json.WriteNumberValue(number);
                            break;
                        case decimal money:
                            json.WriteNumberValue(money);
                            break;
                        case var text:
                            json.WriteStringValue((string)text);
                            break;
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Csv(UsageLines lines)
    {
        var text = new StringBuilder().AppendJoin(',', lines.Columns).Append("\r\n");
        foreach (var line in lines.Lines)
        {
            text.AppendJoin(',', line.Select(Field)).Append("\r\n");
        }

        return text.ToString();
    }

    /// <summary>Quoted where it must be; a text that a spreadsheet would run as a formula is made one that it shows.</summary>
    private static string Field(object? value)
    {
        if (value is not string text)
        {
            return Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }

        var shown = text is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n', ..] ? "'" + text : text;
        return shown.AsSpan().IndexOfAny(",\"\r\n'") < 0 ? shown : $"\"{shown.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
