using Gateway.Data;
using Gateway.Http;
using Gateway.Selectors;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Admin;

/// <summary>What a new key is to be.</summary>
/// <param name="Scopes">Empty: <c>chat</c>.</param>
/// <param name="Selectors">Exact or ending in <c>*</c>; empty: all of the workspace.</param>
internal sealed record NewKey(
    string Workspace, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Selectors, DateTimeOffset? ExpiresAt);

/// <summary>Makes, lists and revokes keys, for the API and the command line alike.</summary>
internal sealed class KeyStore(GatewayDb db, TimeProvider clock)
{
    private const int LongestName = 200;

    /// <summary>Makes a key.</summary>
    /// <returns>The row and the key itself, which exists nowhere else from now on; or what is wrong.</returns>
    public async Task<(KeyRow? Row, string? Key, ApiError? Error)> CreateAsync(NewKey wanted, CancellationToken cancel)
    {
        if (Check(wanted) is { } wrong)
        {
            return (null, null, wrong);
        }

        var workspace = await db.Workspaces.AsNoTracking().SingleOrDefaultAsync(w => w.Name == wanted.Workspace, cancel);
        if (workspace is null)
        {
            return (null, null, ApiError.NotFound($"workspace '{wanted.Workspace}'"));
        }

        var key = KeyText.New();
        var row = new KeyRow
        {
            WorkspaceId = workspace.Id,
            Id = Guid.CreateVersion7(clock.GetUtcNow()),
            Name = wanted.Name,
            Hash = KeyHash.Of(key).ToArray(),
            Ending = KeyText.Ending(key),
            Scopes = wanted.Scopes.Count == 0 ? ["chat"] : [.. wanted.Scopes.Distinct()],
            Selectors = [.. wanted.Selectors.Distinct()],
            CreatedAt = clock.GetUtcNow().UtcDateTime,
            ExpiresAt = wanted.ExpiresAt?.UtcDateTime,
        };
        db.Keys.Add(row);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException gone) when (gone.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation })
        {
            // The workspace was removed between the two statements.
            return (null, null, ApiError.NotFound($"workspace '{wanted.Workspace}'"));
        }

        return (row, key, null);
    }

    /// <summary>Keys, newest last. Null workspace: of all workspaces, for the operator.</summary>
    public async Task<IReadOnlyList<(KeyRow Key, string Workspace)>> ListAsync(Guid? workspace, CancellationToken cancel)
    {
        var keys =
            from key in db.Keys.AsNoTracking()
            join owner in db.Workspaces on key.WorkspaceId equals owner.Id
            where workspace == null || key.WorkspaceId == workspace
            orderby key.CreatedAt, key.Id
            select new { key, owner.Name };
        return [.. (await keys.ToListAsync(cancel)).Select(k => (k.key, k.Name))];
    }

    /// <summary>Revokes a key for good. False when there is none with this id (in this workspace); again is no error.</summary>
    public async Task<bool> RevokeAsync(Guid? workspace, Guid id, CancellationToken cancel)
    {
        var row = await db.Keys.SingleOrDefaultAsync(k => k.Id == id && (workspace == null || k.WorkspaceId == workspace), cancel);
        if (row is null)
        {
            return false;
        }

        if (row.RevokedAt is null)
        {
            row.RevokedAt = clock.GetUtcNow().UtcDateTime;
            await db.SaveChangesAsync(cancel);
        }

        return true;
    }

    private ApiError? Check(NewKey wanted)
    {
        if (wanted.Name.Length is 0 or > LongestName)
        {
            return ApiError.InvalidValue("name", $"expected 1 to {LongestName} characters.");
        }

        if (wanted.Name.Any(char.IsControl))
        {
            return ApiError.InvalidValue("name", "expected text on one line, without control characters.");
        }

        if (wanted.Scopes.FirstOrDefault(s => s is not ("chat" or "admin")) is { } scope)
        {
            return ApiError.InvalidValue("scopes", $"'{scope}' is none of 'chat', 'admin'.");
        }

        if (wanted.Selectors.FirstOrDefault(s => !Selector.IsPattern(s)) is { } selector)
        {
            return ApiError.InvalidValue("selectors", $"'{selector}' is not a selector. Use {Selector.Forms}; it may end in '*'.");
        }

        return wanted.ExpiresAt <= clock.GetUtcNow() ? ApiError.InvalidValue("expires_at", "it has passed.") : null;
    }
}
