using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Bots.Egress;
using Gateway.Data;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Gateway.Bots.Abilities;

/// <summary>An ability that is the tools of an MCP server. Immutable; safe for concurrent use.</summary>
internal sealed class McpAbility(Ability ability, McpServers servers)
{
    private const int MostCharacters = 256 * 1024;

    private readonly McpSettings _settings = new(ability);

    public TimeSpan Timeout => _settings.Timeout;

    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<McpListing> ListAsync(IReadOnlyDictionary<string, Secret> secrets, CancellationToken cancel)
    {
        try
        {
            return await servers.Of(ability, _settings, secrets).ListAsync(cancel);
        }
        catch (Exception failed) when (failed is AbilityException or EgressException)
        {
            return new McpListing([], McpProblem.Describe(failed));
        }
    }

    /// <summary>Checks the arguments, calls the tool, and reads its result.</summary>
    /// <exception cref="OperationCanceledException">The caller left, or the time of the turn is over.</exception>
    public async Task<AbilityOutcome> RunAsync(
        McpToolInfo tool, JsonElement arguments, IReadOnlyDictionary<string, Secret> secrets, CancellationToken cancel)
    {
        if (tool.Arguments.Mistakes(arguments) is { } mistakes)
        {
            return new AbilityOutcome(ToolResult.Failed(mistakes));
        }

        var concealed = new Concealment(_settings.Secrets.Where(secrets.ContainsKey).Select(name => secrets[name]));
        using var limit = new CancellationTokenSource(_settings.Timeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        ShownRequest? shown = null;
        try
        {
            shown = Show(tool, arguments);
            var result = await servers.Of(ability, _settings, secrets).CallAsync(tool.ServerName, arguments, either.Token);
            return new AbilityOutcome(Read(tool, result, concealed), shown);
        }
        catch (McpProtocolException refused)
        {
            return new AbilityOutcome(
                ToolResult.Failed("The tool failed.\n" + DataText.Of($"error of '{tool.Name}'", concealed.Conceal(Shortened(refused.Message)))), shown);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            return new AbilityOutcome(ToolResult.Failed(
                string.Create(CultureInfo.InvariantCulture, $"The tool gave no result within {_settings.Timeout.TotalSeconds:0.#} s.")), shown);
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested && failed is not OutOfMemoryException)
        {
            return new AbilityOutcome(ToolResult.Failed($"The tool failed: {concealed.Conceal(McpProblem.Describe(failed))}"), shown);
        }
    }

    private ShownRequest Show(McpToolInfo tool, JsonElement arguments)
    {
        var (url, headers) = _settings.Fill(_ => Concealment.Mark);
        return new ShownRequest(
            "POST", url.AbsoluteUri.Replace(Uri.EscapeDataString(Concealment.Mark), Concealment.Mark, StringComparison.OrdinalIgnoreCase), headers,
            $$$"""{"method":"tools/call","params":{"name":{{{JsonSerializer.Serialize(tool.ServerName)}}},"arguments":{{{arguments.GetRawText()}}}}}""");
    }

    private static ToolResult Read(McpToolInfo tool, CallToolResult result, Concealment secrets)
    {
        var text = new StringBuilder();
        foreach (var block in result.Content)
        {
            text.Append(text.Length == 0 ? "" : "\n").Append(Describe(block));
        }

        if (text.Length == 0 && result.StructuredContent is { } structured)
        {
            text.Append(structured.ToString());
        }

        var whole = secrets.Conceal(Shortened(text.ToString()), isCut: text.Length > MostCharacters);
        return text.Length == 0
            ? new ToolResult("Done: the result is empty.", result.IsError == true)
            : new ToolResult(DataText.Of($"result of '{tool.Name}'", whole), result.IsError == true);
    }

    private static string Describe(ContentBlock block) => block switch
    {
        TextContentBlock text => text.Text,
        ResourceLinkBlock link => $"{link.Title ?? link.Name}: {link.Uri}",
        EmbeddedResourceBlock { Resource: TextResourceContents text } => text.Text,
        _ => $"(content of the type '{block.Type}', which cannot be shown here)",
    };

    private static string Shortened(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters];
}

/// <summary>One tool of an <see cref="McpAbility"/> as a tool of a bot.</summary>
internal sealed class McpAbilityTool(McpAbility mcp, McpToolInfo tool) : BotTool
{
    public override string Name => tool.Name;

    public override ToolKind Kind => ToolKind.Ability;

    public override string Description => tool.Description;

    public override ReadOnlyMemory<byte> Parameters => tool.Arguments.Json;

    /// <summary>Longer than its own clock, which has the better words.</summary>
    public override TimeSpan Timeout => mcp.Timeout + TimeSpan.FromSeconds(2);

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel) =>
        (await mcp.RunAsync(tool, arguments, turn.Bot.Secrets, cancel)).Result;
}
