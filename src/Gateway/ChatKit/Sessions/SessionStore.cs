using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Data;
using Gateway.Http;
using Gateway.Selectors;
using Microsoft.EntityFrameworkCore;

namespace Gateway.ChatKit.Sessions;

/// <summary>Sessions in the database. Nothing of them is kept in memory, so a cancelled one is refused by every gateway at once.</summary>
internal sealed class SessionStore(IDbContextFactory<GatewayDb> databases, TimeProvider clock)
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Makes a session.</summary>
    /// <returns>It, and its client secret, which is not kept.</returns>
    public async Task<(Session Session, string Secret)> CreateAsync(Caller caller, SessionRequest request, CancellationToken cancel)
    {
        var workspace = caller.WorkspaceId!.Value;
        var secret = SessionSecret.New(workspace);
        var now = clock.GetUtcNow();
        var row = new ChatKitSessionRow
        {
            WorkspaceId = workspace,
            Id = "cksess_" + RandomNumberGenerator.GetString(Alphabet, 24),
            SecretHash = SessionSecret.Hash(secret),
            KeyId = caller.KeyId,
            BotId = request.Bot.Id,
            UserId = request.User,
            Options = JsonSerializer.Serialize(request.Options, SessionJson.Default.SessionOptions),
            RequestsPerMinute = request.RequestsPerMinute,
            CreatedAt = now.UtcDateTime,
            ExpiresAt = (now + request.Lifetime).UtcDateTime,
        };
        await using var db = await databases.CreateDbContextAsync(cancel);
        db.ChatKitSessions.Add(row);
        await db.SaveChangesAsync(cancel);
        return (Session.From(row), secret);
    }

    /// <summary>Ends a session of a bot that the caller may use; one that ended already stays as it is.</summary>
    /// <returns>Null: there is none.</returns>
    public async Task<Session?> CancelAsync(Caller caller, string id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        await using var db = await databases.CreateDbContextAsync(cancel);
        var sessions = db.ChatKitSessions.Where(s => s.WorkspaceId == caller.WorkspaceId && s.Id == id);
        if (await sessions.Select(s => s.BotId).SingleOrDefaultAsync(cancel) is not { } bot || !caller.MayUse(Selector.ForBot(bot)))
        {
            return null;
        }

        await sessions.Where(s => s.CancelledAt == null && s.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.CancelledAt, now), cancel);
        return await sessions.AsNoTracking().SingleOrDefaultAsync(cancel) is { } row ? Session.From(row) : null;
    }

    /// <summary>The session with this client secret, whatever became of it; null: none.</summary>
    public async Task<Session?> FindAsync(string secret, CancellationToken cancel)
    {
        if (SessionSecret.WorkspaceOf(secret) is not { } workspace)
        {
            return null;
        }

        var hash = SessionSecret.Hash(secret);
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.ChatKitSessions.AsNoTracking().SingleOrDefaultAsync(s => s.WorkspaceId == workspace && s.SecretHash == hash, cancel)
            is { } row ? Session.From(row) : null;
    }

    /// <summary>Counts a turn or an upload of a session, over all gateways.</summary>
    /// <returns>Null, or how long to wait: this minute has had as many as there may be.</returns>
    public async Task<TimeSpan?> CountAsync(Session session, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var minute = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, now.Minute, 0, TimeSpan.Zero).UtcDateTime;
        await using var db = await databases.CreateDbContextAsync(cancel);
        var counted = await Find(db, session)
            .Where(s => s.CountedMinute == null || s.CountedMinute < minute || s.Requests < session.RequestsPerMinute)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(s => s.Requests, s => s.CountedMinute == null || s.CountedMinute < minute ? 1 : s.Requests + 1)
                    .SetProperty(s => s.CountedMinute, s => s.CountedMinute == null || s.CountedMinute < minute ? minute : s.CountedMinute),
                cancel);
        return counted == 1 ? null : minute.AddMinutes(1) - now.UtcDateTime;
    }

    /// <summary>Counts a file of a session; false: it has had as many as there may be.</summary>
    public async Task<bool> CountFileAsync(Session session, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Find(db, session).Where(s => s.Files < session.Options.MostFiles)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.Files, s => s.Files + 1), cancel) == 1;
    }

    private static IQueryable<ChatKitSessionRow> Find(GatewayDb db, Session session) =>
        db.ChatKitSessions.Where(s => s.WorkspaceId == session.WorkspaceId && s.Id == session.Id);
}
