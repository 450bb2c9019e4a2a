namespace Gateway.Bots.Egress;

internal enum EgressProblem
{
    /// <summary>The guard does not let bots go there.</summary>
    Refused,

    /// <summary>No such name, no connection, no valid certificate.</summary>
    Unreachable,

    TimedOut,

    /// <summary>The reply broke off, or was none of HTTP.</summary>
    Broken,
}

/// <summary>A request of a bot that got no reply.</summary>
/// <param name="message">For the model: a sentence without an address that a name resolved to, and without a credential.</param>
internal sealed class EgressException(EgressProblem problem, string message, Exception? inner = null) : Exception(message, inner)
{
    public EgressProblem Problem { get; } = problem;
}
