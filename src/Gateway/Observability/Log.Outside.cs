namespace Gateway.Observability;

/// <summary>What bots do outside: egress, abilities, MCP servers, web search. Ids 620 to 639.</summary>
internal static partial class Log
{
    /// <param name="why">In the guard's own words, without an address that the model wrote.</param>
    [LoggerMessage(620, LogLevel.Information, "The egress guard kept a bot from a request: {Why}")]
    public static partial void EgressRefused(this ILogger log, string why);

    [LoggerMessage(621, LogLevel.Error, "The API key of the web search cannot be opened with this encryption key; bots have no search")]
    public static partial void SearchKeyUnreadable(this ILogger log);

    [LoggerMessage(622, LogLevel.Error, "Ability {Ability} is left out: {Why}")]
    public static partial void AbilityUnusable(this ILogger log, string ability, string why);

    [LoggerMessage(623, LogLevel.Warning, "Ability {Ability}: its MCP server gave no list of tools ({Error}); it is left out for now")]
    public static partial void McpServerUnavailable(this ILogger log, string ability, string error);

    [LoggerMessage(624, LogLevel.Information, "Ability {Ability}: its MCP server has {Tools} tools, {Offered} of them for bots")]
    public static partial void McpToolsListed(this ILogger log, string ability, int tools, int offered);

    [LoggerMessage(625, LogLevel.Warning, "Ability {Ability}: its MCP server lost the session ({Error}); connecting again")]
    public static partial void McpSessionLost(this ILogger log, string ability, string error);

    [LoggerMessage(626, LogLevel.Warning, "The web search of kind {Kind} failed: {Error}")]
    public static partial void WebSearchFailed(this ILogger log, string kind, string error);
}
