using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Gateway.Admin.Api;

/// <summary>The workspace that an object belongs to.</summary>
internal sealed record Owner(Guid Id, string Name)
{
    /// <summary>Of what belongs to no workspace, or who may see them all.</summary>
    public static readonly Owner None = new(Guid.Empty, "");
}

/// <summary>An object as it is now, or why not.</summary>
/// <param name="Row">Null with an error, and when it is gone.</param>
internal sealed record ConfigReply(JsonObject? Shown, IConfigRow? Row, ApiError? Error)
{
    public static implicit operator ConfigReply(ApiError error) => new(null, null, error);
}

/// <summary>What is to be another of an object, or why nothing is.</summary>
/// <param name="Place">The part of the object that it is about, such as <c>.abilities[0]</c>; empty: the whole.</param>
internal sealed record ConfigChange(YamlMap? Body, ApiError? Error, string Place = "")
{
    public static implicit operator ConfigChange(ApiError error) => new(null, error);
}

/// <summary>
/// Reads and changes configuration for the API. A change is read along the file's shapes, checked by the file's rules and
/// matched as an apply matches: one object of a file that has no other. Changes wait for each other, so that what a version
/// is compared with is what is changed.
/// </summary>
internal sealed class ConfigStore(GatewayDb db, SecretBox box, GatewaySettings settings, ConfigFeed feed, TimeProvider clock)
{
    /// <summary>Longest that an answer waits until this gateway works by the change that it tells of.</summary>
    private static readonly TimeSpan LongestCatchUp = TimeSpan.FromSeconds(2);

    private Actor _by = Actor.Gateway;

    /// <summary>Null when there is none.</summary>
    public async Task<ConfigReply?> FindAsync(ConfigKind kind, Owner owner, string id, CancellationToken cancel) =>
        await kind.FindAsync(db, owner.Id, id, isTracked: false, cancel) is { } row
            ? new ConfigReply(kind.Show(row, await AroundAsync(owner, cancel)), row, null)
            : null;

    /// <returns>One more than asked for when there are more.</returns>
    public async Task<IReadOnlyList<JsonObject>> PageAsync(
        ConfigKind kind, Owner owner, string? after, int most, CancellationToken cancel)
    {
        var rows = await kind.PageAsync(db, owner.Id, after, most + 1, cancel);
        var around = await AroundAsync(owner, cancel);
        return [.. rows.Select(row => kind.Show(row, around))];
    }

    public async Task<ConfigReply> CreateAsync(ConfigKind kind, Owner owner, YamlMap body, Actor by, CancellationToken cancel)
    {
        _by = by;
        await using var transaction = await BeginAsync(cancel);
        if (await OwnerRowAsync(owner, cancel) is not { } workspace)
        {
            return ApiError.NotFound($"workspace '{owner.Name}'");
        }

        var wanted = ApiBody.Merge(null, kind.Tidy(body), kind.Shape);
        var id = ((YamlMap)wanted).Text(kind.IdField);
        if (id is not null && await kind.FindAsync(db, owner.Id, id, isTracked: false, cancel) is not null)
        {
            return ApiError.AlreadyExists(kind.Describe(id));
        }

        return await MatchAsync(kind, workspace, id ?? "", wanted, kind.Place, transaction, cancel);
    }

    /// <param name="isWanted">Asked of the object's version before it is changed.</param>
    /// <param name="change">Says what is to be another, by what is there.</param>
    public async Task<ConfigReply> ChangeAsync(
        ConfigKind kind, Owner owner, string id, Func<long, bool> isWanted, Func<JsonObject, ConfigChange> change, Actor by,
        CancellationToken cancel)
    {
        _by = by;
        await using var transaction = await BeginAsync(cancel);
        var (row, workspace, refused) = await ToChangeAsync(kind, owner, id, isWanted, cancel);
        if (row is null)
        {
            return refused!;
        }

        var shown = kind.Show(row, await AroundAsync(owner, cancel));
        var asked = change(shown);
        if (asked.Body is null)
        {
            return asked.Error!;
        }

        kind.AddSecrets(row, box, shown);
        var current = ConfigPatch.Current(kind, shown);
        var wanted = ApiBody.Merge(current, asked.Body, kind.Shape);
        return await MatchAsync(kind, workspace!, id, wanted, kind.Place + asked.Place, transaction, cancel);
    }

    public async Task<ConfigReply> DeleteAsync(
        ConfigKind kind, Owner owner, string id, Func<long, bool> isWanted, Actor by, CancellationToken cancel)
    {
        _by = by;
        await using var transaction = await BeginAsync(cancel);
        var (row, workspace, refused) = await ToChangeAsync(kind, owner, id, isWanted, cancel);
        if (row is null)
        {
            return refused!;
        }

        if (await ConfigUse.FindAsync(db, row, cancel) is { } user)
        {
            return ApiError.InUse(kind.Describe(id), user);
        }

        if (row is WorkspaceRow)
        {
            // By name and not by the database's cascade: gateways that hold them learn that they are gone.
            db.RemoveRange(await db.Keys.Where(k => k.WorkspaceId == ((WorkspaceRow)row).Id).ToListAsync(cancel));
        }

        db.Remove(row);
        new AuditLog(db, _by, clock).Add((row as WorkspaceRow)?.Id ?? workspace!.Id, ApplyChange.Deleted, kind.Name, id, []);
        await db.SaveChangesAsync(cancel);
        await CommitAsync(transaction, cancel);
        return new ConfigReply(null, null, null);
    }

    /// <summary>The object, if it may be changed.</summary>
    private async Task<(IConfigRow? Row, WorkspaceRow? Owner, ApiError? Error)> ToChangeAsync(
        ConfigKind kind, Owner owner, string id, Func<long, bool> isWanted, CancellationToken cancel)
    {
        var workspace = await OwnerRowAsync(owner, cancel);
        var row = workspace is null ? null : await kind.FindAsync(db, owner.Id, id, isTracked: true, cancel);
        var error = row is null ? ApiError.NotFound(kind.Describe(id))
            : kind.ManagedOf(row) == ManagedBy.File ? ApiError.ManagedByFile(kind.Describe(id))
            : !isWanted(row.Version) ? ApiError.VersionMismatch(kind.Describe(id))
            : null;
        return (error is null ? row : null, workspace, error);
    }

    private async Task<ConfigReply> MatchAsync(
        ConfigKind kind, WorkspaceRow owner, string id, YamlNode wanted, string place,
        IDbContextTransaction transaction, CancellationToken cancel)
    {
        var isOwned = owner.Id != Guid.Empty;
        var errors = new List<FileError>();
        if (kind.Read(isOwned ? owner.Name : null, wanted, errors) is not { } file)
        {
            return ApiProblem.Of(errors, place);
        }

        var rows = await ConfigRows.LoadAsync(db, file, isOwned ? owner : null, cancel);
        var changes = new ApplyChanges();
        await kind.MatchAsync(new Matching(db, box, rows, changes, errors, clock), owner, file, cancel);
        errors.AddRange(await new ApplyReferences(db, rows, new ApplySight(rows, settings), settings).CheckAsync(file, cancel));
        if (errors.Count > 0)
        {
            return ApiProblem.Of(errors, place);
        }

        new AuditLog(db, _by, clock).Add(changes, name => rows.Workspaces[name].Id);
        await db.SaveChangesAsync(cancel);
        await CommitAsync(transaction, cancel);

        var row = kind.Find(rows, owner.Id, id)!;
        return new ConfigReply(kind.Show(row, await AroundAsync(new Owner(owner.Id, owner.Name), cancel)), row, null);
    }

    /// <summary>From here on no other change of configuration runs beside.</summary>
    private async Task<IDbContextTransaction> BeginAsync(CancellationToken cancel)
    {
        var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Nobody else can change anything while this one waits: for a dataset that is being written, say.
        await db.Database.ExecuteSqlAsync($"SET LOCAL lock_timeout = '5s'", cancel);
        await db.Database.ExecuteSqlAsync($"SELECT version FROM config_version FOR UPDATE", cancel);
        return transaction;
    }

    /// <summary>Whoever makes a bot calls it next. Other gateways learn of it as soon as they are told.</summary>
    private async Task CommitAsync(IDbContextTransaction transaction, CancellationToken cancel)
    {
        await transaction.CommitAsync(cancel);
        try
        {
            await feed.CatchUpAsync(cancel).WaitAsync(LongestCatchUp, clock, cancel);
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            // The change is made; it only takes longer until it shows.
        }
    }

    /// <summary>Null when the workspace has gone meanwhile.</summary>
    private async Task<WorkspaceRow?> OwnerRowAsync(Owner owner, CancellationToken cancel) => owner == Owner.None
        ? new WorkspaceRow { Id = Guid.Empty, Name = "" }
        : await db.Workspaces.SingleOrDefaultAsync(w => w.Id == owner.Id, cancel);

    private async Task<Surroundings> AroundAsync(Owner owner, CancellationToken cancel) => new(
        owner.Name, await db.Providers.AsNoTracking().ToDictionaryAsync(p => p.Id, p => p.Name, cancel), box);
}
