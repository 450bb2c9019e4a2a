using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Http;
using Gateway.Selectors;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Admin;

/// <summary>What a new key is to be.</summary>
/// <param name="Scopes">Empty: <c>chat</c>.</param>
/// <param name="Selectors">Exact or ending in <c>*</c>; empty: all of the workspace.</param>
/// <param name="Limits">Already checked; null: none.</param>
internal sealed record NewKey(
    string Workspace, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Selectors, DateTimeOffset? ExpiresAt,
    LimitValues? Limits = null);

/// <param name="Workspace">The name of the only workspace wanted; null: any.</param>
/// <param name="After">The id of the last key of the page before; null: the first page.</param>
internal sealed record KeyPage(string? Workspace, Guid? After, int Limit);

/// <summary>Makes, lists and revokes keys, for the API and the command line alike.</summary>
internal sealed class KeyStore(GatewayDb db, TimeProvider clock)
{
    private const int LongestName = 200;

    /// <summary>Makes a key.</summary>
    /// <returns>The row and the key itself, which exists nowhere else from now on; or what is wrong.</returns>
    public async Task<(KeyRow? Row, string? Key, ApiError? Error)> CreateAsync(NewKey wanted, Actor by, CancellationToken cancel)
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
        row.Limits.Set(wanted.Limits);
        db.Keys.Add(row);
        new AuditLog(db, by, clock).Add(workspace.Id, ApplyChange.Created, "key", Subject(row), []);
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

    /// <summary>All keys, newest last.</summary>
    /// <param name="workspace">The name of the only workspace wanted; null: all, for the operator.</param>
    public async Task<IReadOnlyList<(KeyRow Key, string Workspace)>> ListAsync(string? workspace, CancellationToken cancel) =>
    [
        .. (await Of(null).Where(k => workspace == null || k.Workspace == workspace)
            .OrderBy(k => k.Key.CreatedAt).ThenBy(k => k.Key.Id).ToListAsync(cancel)).Select(k => (k.Key, k.Workspace)),
    ];

    /// <summary>Some keys, newest last.</summary>
    /// <param name="workspace">The only workspace whose keys may be seen; null: all, for the operator.</param>
    /// <returns>One more than asked for when there are more; null when there is no key with the id of <c>After</c>.</returns>
    public async Task<IReadOnlyList<(KeyRow Key, string Workspace)>?> PageAsync(Guid? workspace, KeyPage page, CancellationToken cancel)
    {
        var keys = Of(workspace);
        if (page.Workspace is { } name)
        {
            keys = keys.Where(k => k.Workspace == name);
        }

        if (page.After is { } id)
        {
            if (await FindAsync(workspace, id, cancel) is not { Key: { } last })
            {
                return null;
            }

            keys = keys.Where(k => k.Key.CreatedAt > last.CreatedAt || (k.Key.CreatedAt == last.CreatedAt && k.Key.Id > last.Id));
        }

        var found = await keys.OrderBy(k => k.Key.CreatedAt).ThenBy(k => k.Key.Id).Take(page.Limit + 1).ToListAsync(cancel);
        return [.. found.Select(k => (k.Key, k.Workspace))];
    }

    /// <summary>A key by its id (in this workspace); null when there is none.</summary>
    public async Task<(KeyRow Key, string Workspace)?> FindAsync(Guid? workspace, Guid id, CancellationToken cancel) =>
        await Of(workspace).SingleOrDefaultAsync(k => k.Key.Id == id, cancel) is { } found ? (found.Key, found.Workspace) : null;

    /// <summary>Revokes a key for good; again is no error.</summary>
    /// <param name="isWanted">Asked of the key's version before it is revoked; null: any will do.</param>
    /// <returns>What is wrong; null: it is revoked.</returns>
    public async Task<ApiError?> RevokeAsync(Guid? workspace, Guid id, Actor by, Func<long, bool>? isWanted, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlAsync($"SELECT version FROM config_version FOR UPDATE", cancel);
        var row = await db.Keys.SingleOrDefaultAsync(k => k.Id == id && (workspace == null || k.WorkspaceId == workspace), cancel);
        if (row is null)
        {
            return ApiError.NotFound("key");
        }

        if (isWanted?.Invoke(row.Version) == false)
        {
            return ApiError.VersionMismatch("key");
        }

        if (row.RevokedAt is null)
        {
            row.RevokedAt = clock.GetUtcNow().UtcDateTime;
            new AuditLog(db, by, clock).Add(row.WorkspaceId, "revoked", "key", Subject(row), []);
            await db.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }

        return null;
    }

    /// <summary>As an apply says it: keys of one name are common.</summary>
    private static string Subject(KeyRow row) => $"{row.Name} ({row.Id})";

    private IQueryable<Owned> Of(Guid? workspace) =>
        from key in db.Keys.AsNoTracking()
        join owner in db.Workspaces on key.WorkspaceId equals owner.Id
        where workspace == null || key.WorkspaceId == workspace
        select new Owned { Key = key, Workspace = owner.Name };

    private ApiError? Check(NewKey wanted)
    {
        // Postgres holds no NUL, not even in a question.
        if (wanted.Workspace.Any(char.IsControl))
        {
            return ApiError.InvalidValue("workspace", "expected a workspace's name, without control characters.");
        }

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
            return ApiError.InvalidValue("scopes", $"{FileWords.Quote(scope)} is none of 'chat', 'admin'.");
        }

        if (wanted.Selectors.FirstOrDefault(s => !Selector.IsPattern(s)) is { } selector)
        {
            return ApiError.InvalidValue("selectors", $"{FileWords.Quote(selector)} is not a selector. Use {Selector.Forms}, at most {Selector.MaxLength} characters; it may end in '*'.");
        }

        return wanted.ExpiresAt <= clock.GetUtcNow() ? ApiError.InvalidValue("expires_at", "it has passed.") : null;
    }

    private sealed class Owned
    {
        public required KeyRow Key { get; init; }

        public required string Workspace { get; init; }
    }
}
