using Gateway.Bots.Egress;
using ModelContextProtocol;

namespace Gateway.Bots.Abilities;

/// <summary>What went wrong with an MCP server, in words that hold nothing of its own: they may repeat what it was sent.</summary>
internal static class McpProblem
{
    public static string Describe(Exception failed) => failed switch
    {
        EgressException refused => refused.Message,
        HttpRequestException { InnerException: EgressException refused } => refused.Message,
        HttpRequestException { StatusCode: { } status } => $"the server answered with status {(int)status}",
        HttpRequestException or IOException => "the server could not be reached",
        McpProtocolException protocol => $"the server answered with the error {(int)protocol.ErrorCode}",
        OperationCanceledException or TimeoutException => "the server did not answer in time",
        AbilityException incomplete => incomplete.Message,
        _ when failed.InnerException is { } inner => Describe(inner),
        _ => failed.GetType().Name,
    };
}
