using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>Sees to it that a new installation has a workspace and one key to begin with.</summary>
internal static class FirstStart
{
    public const string DefaultWorkspace = "default";

    private const string Setting = "first-start";

    /// <summary>
    /// Makes workspace <c>default</c> and a chat key for it, once in the life of a database, however many gateways start
    /// on it at the same time.
    /// </summary>
    /// <returns>The key, to be shown this once; null when an earlier start made it.</returns>
    public static async Task<string?> RunAsync(GatewayDb db, TimeProvider clock, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var isFirst = await db.Database.ExecuteSqlAsync(
            $"INSERT INTO settings (name, value) VALUES ({Setting}, 'done') ON CONFLICT DO NOTHING", cancel) == 1;
        if (!isFirst)
        {
            return null;
        }

        if (!await db.Workspaces.AnyAsync(w => w.Name == DefaultWorkspace, cancel))
        {
            var now = clock.GetUtcNow();
            db.Workspaces.Add(new WorkspaceRow { Id = Guid.CreateVersion7(now), Name = DefaultWorkspace, CreatedAt = now.UtcDateTime });
            await db.SaveChangesAsync(cancel);
        }

        var (_, key, _) = await new KeyStore(db, clock).CreateAsync(new NewKey(DefaultWorkspace, "first key", [], [], null), cancel);
        await transaction.CommitAsync(cancel);
        return key;
    }
}
