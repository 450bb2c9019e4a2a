using Gateway.Data;
using Microsoft.AspNetCore.Connections.Features;

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

        var hash = HashOf(key, value, request.HttpContext);
        return keys.Find(hash) is { } caller
            ? new(Check(caller, needed, value))
            : new(LookAsync(hash, needed, value, cancel));
    }

    /// <summary>
    /// A connection mostly brings the same header again, and the server then gives the same string: what was made of it is kept
    /// beside the connection. Not over HTTP/2, whose requests come at the same time.
    /// </summary>
    private static KeyHash HashOf(ReadOnlySpan<char> key, string header, HttpContext http)
    {
        if (!HttpProtocol.IsHttp11(http.Request.Protocol) || http.Features.Get<IConnectionItemsFeature>()?.Items is not { } items)
        {
            return KeyHash.Of(key);
        }

        if (items.TryGetValue(typeof(KnownHeader), out var kept) && kept is KnownHeader known && ReferenceEquals(known.Header, header))
        {
            return known.Hash;
        }

        var hash = KeyHash.Of(key);
        items[typeof(KnownHeader)] = new KnownHeader(header, hash);
        return hash;
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

    /// <summary>Not a record: what a record prints of itself would be the key.</summary>
    private sealed class KnownHeader(string header, KeyHash hash)
    {
        public string Header => header;

        public KeyHash Hash => hash;
    }
}
