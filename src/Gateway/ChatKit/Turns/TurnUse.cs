using Gateway.Http;
using Gateway.Limits;

namespace Gateway.ChatKit.Turns;

/// <summary>What a request that may use a model is counted and recorded by.</summary>
internal sealed record TurnUse(Metered Metered, RequestFacts Facts);
