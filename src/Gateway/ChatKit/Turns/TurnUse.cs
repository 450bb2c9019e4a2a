using Gateway.Http;
using Gateway.Limits;

namespace Gateway.ChatKit.Turns;

/// <summary>What a request that may use a model is counted and recorded by.</summary>
internal sealed record TurnUse(Metered Metered, RequestFacts Facts)
{
    /// <summary>Whether the answer is whole and stored, whatever is still done.</summary>
    public bool IsAnswered { get; set; }
}
