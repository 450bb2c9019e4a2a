using Gateway.ChatKit.Sessions;
using Gateway.Http;

namespace Gateway.ChatKit;

/// <summary>Holds a session to what it may begin in a minute. Keys have limits of their own.</summary>
internal sealed class SessionGate(SessionStore sessions)
{
    /// <returns>Why not; null: it may go on, and is counted.</returns>
    public async Task<ApiError?> CountAsync(ChatKitUser user, CancellationToken cancel) =>
        user.Session is { } session && await sessions.CountAsync(session, cancel) is { } wait
            ? ApiError.RateLimited(
                "this session", "requests per min (RPM)", "requests", session.RequestsPerMinute, session.RequestsPerMinute, 1, wait)
            : null;
}
