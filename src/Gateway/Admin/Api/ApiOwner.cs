using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>Whose objects a request is about, and whether its key may ask.</summary>
internal static class ApiOwner
{
    /// <param name="named">The workspace that the body names; <c>?workspace=</c> is asked too.</param>
    public static async Task<(Owner? Owner, ApiError? Error)> FindAsync(
        HttpContext http, GatewayDb db, ConfigKind kind, bool isChange, string? named, CancellationToken cancel)
    {
        var caller = RequestFacts.Of(http).Caller!;
        if (!kind.IsGlobal)
        {
            return await FindAsync(http, db, named, cancel);
        }

        // A workspace's own keys may look at it; its limits are the operator's.
        return caller.IsGlobalAdmin ? (Owner.None, null)
            : kind is WorkspaceKind && !isChange && caller.WorkspaceId is { } own ? (new Owner(own, caller.Workspace), null)
            : (null, ApiError.GlobalAdminOnly());
    }

    /// <summary>The workspace of a key; the global admin key names one.</summary>
    public static async Task<(Owner? Owner, ApiError? Error)> FindAsync(
        HttpContext http, GatewayDb db, string? named, CancellationToken cancel)
    {
        var caller = RequestFacts.Of(http).Caller!;
        var asked = http.Request.Query["workspace"];
        var wanted = named ?? (asked.Count == 0 ? null : asked[0]);
        if (wanted?.Any(char.IsControl) == true || asked.Count > 1)
        {
            return (null, ApiError.InvalidValue("workspace", "expected a workspace's name, once and without control characters."));
        }

        if (named is not null && asked.Count > 0 && asked[0] != named)
        {
            return (null, ApiError.InvalidValue("workspace", "the body and the query name two."));
        }

        if (caller.WorkspaceId is { } own)
        {
            // The same answer for a workspace that is not there and one that is not this key's.
            return wanted is null || wanted == caller.Workspace
                ? (new Owner(own, caller.Workspace), null)
                : (null, ApiError.NotFound($"workspace '{wanted}'"));
        }

        if (wanted is null)
        {
            return (null, ApiError.MissingParameter("workspace"));
        }

        var id = await db.Workspaces.Where(w => w.Name == wanted).Select(w => (Guid?)w.Id).SingleOrDefaultAsync(cancel);
        return id is { } found ? (new Owner(found, wanted), null) : (null, ApiError.NotFound($"workspace '{wanted}'"));
    }
}
