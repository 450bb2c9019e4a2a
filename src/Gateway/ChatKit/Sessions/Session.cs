using System.Text.Json;
using Gateway.Data;

namespace Gateway.ChatKit.Sessions;

/// <summary>What a browser may do for a while without a key: talk to one bot, as one user.</summary>
/// <param name="KeyId">The key that made it; its limits hold.</param>
internal sealed record Session(
    Guid WorkspaceId, string Id, Guid KeyId, string BotId, string UserId, SessionOptions Options, int RequestsPerMinute,
    DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, bool IsCancelled)
{
    /// <summary>As OpenAI says it: <c>active</c>, <c>expired</c>, <c>cancelled</c>.</summary>
    public string StatusAt(DateTimeOffset now) => IsCancelled ? "cancelled" : ExpiresAt <= now ? "expired" : "active";

    public static Session From(ChatKitSessionRow row) => new(
        row.WorkspaceId, row.Id, row.KeyId, row.BotId, row.UserId,
        JsonSerializer.Deserialize(row.Options, SessionJson.Default.SessionOptions)!, row.RequestsPerMinute,
        new DateTimeOffset(row.CreatedAt, TimeSpan.Zero), new DateTimeOffset(row.ExpiresAt, TimeSpan.Zero), row.CancelledAt is not null);
}
