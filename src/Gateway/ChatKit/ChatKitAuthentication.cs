using Gateway.Bots;
using Gateway.ChatKit.Sessions;
using Gateway.Data;
using Gateway.Http;
using Gateway.Selectors;

namespace Gateway.ChatKit;

/// <summary>
/// Finds out who speaks: a browser by its session's client secret, a server by its key and the user that it names. What a key
/// may not use, or its workspace does not have, is a 404 either way.
/// </summary>
internal sealed class ChatKitAuthentication(
    SessionStore sessions, KeyTable keys, ConfigFeed feed, BotCatalog bots, GatewaySettings settings, TimeProvider clock)
{
    private const string Bearer = "Bearer ";
    private const string UserHeader = "X-Gateway-User";

    /// <summary>For requests of a page, whose session says which bot and user.</summary>
    public async Task<(ChatKitUser? User, ApiError? Error)> OfSessionAsync(HttpContext http, CancellationToken cancel)
    {
        var header = http.Request.Headers.Authorization;
        if (header is not [{ Length: > 0 } value] || !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return (null, ApiError.MissingClientSecret());
        }

        var secret = value[Bearer.Length..].Trim();
        if (KeyText.HasForm(secret))
        {
            return (null, ApiError.KeyInsteadOfSecret());
        }

        var session = await sessions.FindAsync(secret, cancel);
        if (session?.StatusAt(clock.GetUtcNow()) is not { } status)
        {
            return (null, ApiError.InvalidClientSecret("is not known"));
        }

        if (status != "active")
        {
            return (null, ApiError.InvalidClientSecret(status == "expired" ? "has expired" : "was cancelled"));
        }

        if (await FindAsync(session.KeyId, cancel) is not { } caller)
        {
            return (null, ApiError.InvalidClientSecret("was made with a key that does not hold any more"));
        }

        if (!IsFromAllowedPage(http.Request, session.Options.AllowedOrigins))
        {
            return (null, ApiError.OriginNotAllowed(http.Request.Headers.Origin.Count > 0));
        }

        RequestFacts.Of(http).Caller = caller;
        return Checked(new ChatKitUser(caller, session.WorkspaceId, session.BotId, session.UserId, session, BaseUrl(http.Request)));
    }

    /// <summary>For requests of a server: <see cref="RequestFacts.Caller"/> is known, the bot is in the path.</summary>
    public (ChatKitUser? User, ApiError? Error) OfKey(HttpContext http, string botId)
    {
        var user = http.Request.Headers[UserHeader].ToString();
        if (user.Length is 0 or > SessionRequest.MaxUserLength || user.Any(char.IsControl))
        {
            return (null, ApiError.MissingHeader(UserHeader, $"the id of the user who speaks, 1 to {SessionRequest.MaxUserLength} characters"));
        }

        var caller = RequestFacts.Of(http).Caller!;
        return Checked(new ChatKitUser(caller, caller.WorkspaceId ?? Guid.Empty, botId, user, null, BaseUrl(http.Request)));
    }

    private (ChatKitUser?, ApiError?) Checked(ChatKitUser user)
    {
        var selector = Selector.ForBot(user.BotId);
        return user.Caller.MayUse(selector) && bots.Find(user.Caller, user.BotId) is not null
            ? (user, null)
            : (null, ApiError.NotFound($"bot '{user.BotId}'"));
    }

    /// <summary>A key that still holds. One made a moment ago through another gateway may not have been announced here yet.</summary>
    private async ValueTask<Caller?> FindAsync(Guid keyId, CancellationToken cancel)
    {
        var caller = keys.Find(keyId);
        if (caller is null)
        {
            await feed.CatchUpAsync(cancel);
            caller = keys.Find(keyId);
        }

        return caller is { IsRevoked: false } && (caller.ExpiresAt is not { } end || end > clock.GetUtcNow())
            && caller.Scopes.HasFlag(Scopes.Chat) ? caller : null;
    }

    /// <summary>As the operator says; else as the request was addressed.</summary>
    private string BaseUrl(HttpRequest request) =>
        settings.PublicUrl.Length > 0 ? settings.PublicUrl.TrimEnd('/') : $"{request.Scheme}://{request.Host}";

    /// <summary>Browsers say where a page comes from, and a page cannot change it. Who is no browser has nothing to hide.</summary>
    private static bool IsFromAllowedPage(HttpRequest request, IReadOnlyList<string> allowed) =>
        allowed.Count == 0
        || (request.Headers.Origin is [{ } origin] && allowed.Contains(origin, StringComparer.OrdinalIgnoreCase));
}
