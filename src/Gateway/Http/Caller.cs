using Gateway.Data;
using Gateway.Selectors;

namespace Gateway.Http;

/// <summary>What a key may do.</summary>
[Flags]
internal enum Scopes
{
    None = 0,

    /// <summary>Everything under <c>/v1</c>.</summary>
    Chat = 1,

    /// <summary><c>/admin/v1</c>, within the key's workspace; everywhere for the global admin key.</summary>
    Admin = 2,
}

/// <summary>Who a key is. Immutable; a request holds the one it came in with.</summary>
/// <param name="WorkspaceId">Null for the global admin key, which belongs to none.</param>
/// <param name="Selectors">What the key may use; empty: all that its workspace has.</param>
internal sealed record Caller(
    Guid? WorkspaceId, string Workspace, Guid KeyId, string KeyName, Scopes Scopes, string[] Selectors,
    DateTimeOffset? ExpiresAt, bool IsRevoked)
{
    /// <summary>The key's own; its workspace's are apart. Null: none.</summary>
    public LimitValues? Limits { get; init; }

    public bool IsGlobalAdmin => WorkspaceId is null && Scopes.HasFlag(Scopes.Admin);

    public bool MayUse(Selector selector)
    {
        if (Selectors.Length == 0)
        {
            return true;
        }

        foreach (var pattern in Selectors)
        {
            if (selector.IsCoveredBy(pattern))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The names of scopes as they are stored and sent.</summary>
    public static Scopes ReadScopes(IEnumerable<string> names) =>
        names.Aggregate(Scopes.None, (all, name) => all | name switch
        {
            "chat" => Scopes.Chat,
            "admin" => Scopes.Admin,
            _ => Scopes.None,
        });
}
