using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// Sees to it that a new installation has a workspace and one key to begin with, each once in the life of a database,
/// however many gateways start on it at the same time.
/// </summary>
internal static class FirstStart
{
    public const string DefaultWorkspace = "default";

    private const string WorkspaceSetting = "first-workspace";
    private const string KeySetting = "first-key";

    public static async Task MakeWorkspaceAsync(GatewayDatabase database, TimeProvider clock, CancellationToken cancel)
    {
        if (await SettingTable.ReadAsync(database.Source, WorkspaceSetting, cancel) is not null)
        {
            return;
        }

        await using var db = database.NewContext();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await IsFirstAsync(db, WorkspaceSetting, cancel)
            && !await db.Workspaces.AnyAsync(w => w.Name == DefaultWorkspace, cancel))
        {
            var now = clock.GetUtcNow();
            db.Workspaces.Add(new WorkspaceRow { Id = Guid.CreateVersion7(now), Name = DefaultWorkspace, CreatedAt = now.UtcDateTime });
            await db.SaveChangesAsync(cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    /// <summary>
    /// Makes a chat key for <c>default</c>. Only when the server listens: a key that was made by a start that then failed
    /// would be shown to nobody.
    /// </summary>
    /// <returns>
    /// The key, to be shown this once; null when an earlier start made it, or when the database left in this moment: the
    /// server serves by then, and the next start makes the key.
    /// </returns>
    public static async Task<string?> MakeKeyAsync(GatewayDatabase database, TimeProvider clock, CancellationToken cancel)
    {
        try
        {
            return await TryMakeKeyAsync(database, clock, cancel);
        }
        catch (Exception away) when (DatabaseTrouble.Find(away) is not null && !cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<string?> TryMakeKeyAsync(GatewayDatabase database, TimeProvider clock, CancellationToken cancel)
    {
        if (await SettingTable.ReadAsync(database.Source, KeySetting, cancel) is not null)
        {
            return null;
        }

        await using var db = database.NewContext();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await IsFirstAsync(db, KeySetting, cancel))
        {
            return null;
        }

        var (_, key, _) = await new KeyStore(db, clock).CreateAsync(new NewKey(DefaultWorkspace, "first key", [], [], null), Actor.Gateway, cancel);
        await transaction.CommitAsync(cancel);
        return key;
    }

    private static async Task<bool> IsFirstAsync(GatewayDb db, string setting, CancellationToken cancel) =>
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO settings (name, value) VALUES ({setting}, 'done') ON CONFLICT DO NOTHING", cancel) == 1;
}
