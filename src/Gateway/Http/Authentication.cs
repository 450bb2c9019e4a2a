using Gateway.Data;

namespace Gateway.Http;

/// <summary>Turns a bearer key into a <see cref="Caller"/>, from memory.</summary>
internal sealed class Authentication(KeyTable keys, ConfigFeed feed, TimeProvider clock)
{
    private const string Bearer = "Bearer ";

    /// <summary>Longest that an unknown key waits for a look into the database.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Configuration older than this cannot say that a key does not exist.</summary>
    private static readonly TimeSpan OldestTrusted = TimeSpan.FromSeconds(30);

    /// <summary>Who is calling, or why not. Completes at once for every key in memory.</summary>
    public ValueTask<(Caller? Caller, ApiError? Error)> FindAsync(HttpRequest request, Scopes needed, CancellationToken cancel)
    {
        var header = request.Headers.Authorization;
        if (header.Count == 0 || header[0] is not { Length: > 0 } value)
        {
            return new((null, ApiError.MissingKey()));
        }

        if (!value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || header.Count > 1)
        {
            return new((null, ApiError.MissingKey()));
        }

        var key = value.AsSpan(Bearer.Length).Trim();
        if (key.IsEmpty)
        {
            return new((null, ApiError.MissingKey()));
        }

        var hash = KeyHash.Of(key);
        return keys.Find(hash) is { } caller
            ? new(Check(caller, needed, value))
            : new(LookAsync(hash, needed, value, cancel));
    }

    private async Task<(Caller?, ApiError?)> LookAsync(KeyHash hash, Scopes needed, string header, CancellationToken cancel)
    {
        try
        {
            // A key made a moment ago through another gateway may not have been announced here yet.
            await feed.CatchUpAsync(cancel).WaitAsync(LongestLook, clock, cancel);
        }
        catch (Exception down) when (!cancel.IsCancellationRequested && down is not OutOfMemoryException)
        {
            if (feed.Age > OldestTrusted)
            {
                return (null, ApiError.ConfigurationUnavailable());
            }
        }

        return keys.Find(hash) is { } caller
            ? Check(caller, needed, header)
            : (null, ApiError.UnknownKey(Shown(header)));
    }

    private (Caller?, ApiError?) Check(Caller caller, Scopes needed, string header) => caller switch
    {
        { IsRevoked: true } => (null, ApiError.RevokedKey(Shown(header))),
        { ExpiresAt: { } end } when end <= clock.GetUtcNow() => (null, ApiError.ExpiredKey(Shown(header))),
        _ when !caller.Scopes.HasFlag(needed) => (null, ApiError.MissingScope(needed.ToString().ToLowerInvariant())),
        _ => (caller, null),
    };

    private static string Shown(string header) => KeyText.Shown(header[Bearer.Length..].Trim());
}
