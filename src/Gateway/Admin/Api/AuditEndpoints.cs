using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary><c>GET /admin/v1/audit</c>: who changed what and when, newest first. <c>GET /admin/v1/export</c>: the file.</summary>
internal static class AuditEndpoints
{
    private static readonly string[] Filters = ["kind", "subject", "since"];

    public static IEndpointRouteBuilder MapAudit(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/audit", ListAsync).WithMetadata(
            new RouteDoc("Lists changes of the configuration, newest first.") { Kind = "audit_entry", Verb = RouteVerb.List, Query = [.. Filters, "workspace"] });
        admin.MapGet("/export", ExportAsync).WithMetadata(
            new RouteDoc("Gives the whole configuration as a gateway.yaml, without credentials.") { Gives = "application/yaml" });
        return admin;
    }

    private static async Task<IResult> ListAsync(HttpContext http, GatewayDb db, CancellationToken cancel)
    {
        var query = http.Request.Query;
        if (!ApiPage.TryRead(query, out var page, out var error)
            || !UsageEndpoints.TryTime(query, "since", DateTime.UnixEpoch, out var since, out error))
        {
            return error!.ToResult();
        }

        var entries = db.Audit.AsNoTracking().Where(a => a.At >= since);
        var caller = RequestFacts.Of(http).Caller!;
        // The operator may leave the workspace out, and sees all.
        if (caller.WorkspaceId is not null || query.ContainsKey("workspace"))
        {
            (var owner, error) = await ApiOwner.FindAsync(http, db, named: null, cancel);
            if (owner is null)
            {
                return error!.ToResult();
            }

            entries = entries.Where(a => a.WorkspaceId == owner.Id);
        }

        foreach (var (name, value) in query.Where(q => Filters.Contains(q.Key)).Select(q => (q.Key, q.Value.ToString())))
        {
            if (value.Contains('\0', StringComparison.Ordinal))
            {
                return ApiError.InvalidValue(name, "expected text.").ToResult();
            }
        }

        if (query["kind"].FirstOrDefault() is { } kind)
        {
            entries = entries.Where(a => a.Kind == kind);
        }

        if (query["subject"].FirstOrDefault() is { } subject)
        {
            entries = entries.Where(a => a.Subject == subject);
        }

        return await PageAsync(db, entries, page, cancel);
    }

    private static async Task<IResult> PageAsync(GatewayDb db, IQueryable<AuditRow> entries, ApiPage page, CancellationToken cancel)
    {
        if (page.After is not null)
        {
            if (!Guid.TryParse(page.After, out var id) || await entries.SingleOrDefaultAsync(a => a.Id == id, cancel) is not { } last)
            {
                return ApiError.InvalidValue("after", "there is no such entry.").ToResult();
            }

            entries = entries.Where(a => a.At < last.At || (a.At == last.At && a.Id < last.Id));
        }

        var found = await entries.OrderByDescending(a => a.At).ThenByDescending(a => a.Id).Take(page.Limit + 1).ToListAsync(cancel);
        var ids = found.Select(a => a.WorkspaceId).Distinct().ToList();
        var names = await db.Workspaces.Where(w => ids.Contains(w.Id)).ToDictionaryAsync(w => w.Id, w => w.Name, cancel);
        return ApiPage.Reply([.. found.Select(a => Show(a, names))], page.Limit);
    }

    /// <summary>A workspace that is gone is shown by its id.</summary>
    private static JsonObject Show(AuditRow row, Dictionary<Guid, string> workspaces) => new()
    {
        ["object"] = "audit_entry",
        ["id"] = row.Id.ToString(),
        ["created_at"] = Shown.Seconds(row.At),
        ["workspace"] = row.WorkspaceId == Guid.Empty ? null : workspaces.GetValueOrDefault(row.WorkspaceId) ?? row.WorkspaceId.ToString(),
        ["actor"] = row.Actor,
        ["key_id"] = row.KeyId == Guid.Empty ? null : row.KeyId.ToString(),
        ["action"] = row.Action,
        ["kind"] = row.Kind,
        ["subject"] = row.Subject,
        ["fields"] = Shown.Texts(row.Fields.Select(ApiShape.Snake)),
    };

    private static async Task<IResult> ExportAsync(HttpContext http, GatewayDb db, SecretBox box, CancellationToken cancel) =>
        RequestFacts.Of(http).Caller!.IsGlobalAdmin
            ? Results.Text(await new Exporter(db, box).ExportAsync(cancel), "application/yaml; charset=utf-8")
            : ApiError.GlobalAdminOnly().ToResult();
}
