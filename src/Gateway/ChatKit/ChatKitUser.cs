using Gateway.ChatKit.Sessions;
using Gateway.ChatKit.Threads;
using Gateway.ChatKit.Turns;
using Gateway.Http;

namespace Gateway.ChatKit;

/// <summary>Who speaks, and with which bot: threads, items and attachments are theirs alone.</summary>
/// <param name="Caller">The key behind it; a session's is the key that made it.</param>
/// <param name="UserId">Who the page's server says it is.</param>
/// <param name="Session">Null: a server speaks with a key of its own.</param>
/// <param name="BaseUrl">Where the user's browser reaches the gateway, without a slash at the end.</param>
internal sealed record ChatKitUser(Caller Caller, Guid WorkspaceId, string BotId, string UserId, Session? Session, string BaseUrl)
{
    /// <summary>Null: the request uses no model.</summary>
    public TurnUse? Use { get; init; }

    /// <summary>Of the thread that the request streams in, once it has taken it: what it writes there carries it, to its end and beyond.</summary>
    public ThreadLease? Lease { get; set; }

    /// <summary>The lease that a write to a thread carries; null: the request has not taken that thread.</summary>
    public ThreadLease? LeaseOn(string thread) => Lease?.Thread == thread ? Lease : null;
}
