using Gateway.Bots;
using Gateway.Bots.Abilities;
using Gateway.Tests.Bots.Egress;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Bots.Abilities;

/// <summary>What a bot has of its skillsets at the begin of a turn.</summary>
public sealed class AbilityToolsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Skillsets_become_tools_with_guidance_and_what_cannot_be_read_is_left_out()
    {
        await using var server = await OutsideServer.StartAsync(http => http.Response.WriteAsync("hello"));
        using var outside = new Outside("127.0.0.1");
        await using var servers = new McpServers(outside.Guard, TimeProvider.System, NullLogger<McpServers>.Instance);
        var settings = $$$"""{"url":"{{{server.Url}}}/x","headers":{"authorization":"{secret:key}"}}""";
        var turn = Turns.Of(
            [
                new Skillset("crm", "Customer records. ", [Turns.Http(settings, name: "find"), Turns.Http("""{"url":5}""", name: "broken")]),
                new Skillset("other", "", [Turns.Http(settings, name: "find"), Turns.Mcp("[]", "docs")]),
            ],
            Turns.Secrets(("key", "canary")));
        var tools = new Toolset();

        await new AbilityTools(outside.Guard, servers, NullLogger<AbilityTools>.Instance).AddAsync(turn, tools, Cancel);
        var result = await tools.Find("find_2")!.RunAsync(Turns.Arguments("{}"), turn, Cancel);

        Assert.Equal(["find", "find_2"], tools.Named.Select(t => t.Key));
        Assert.Equal(
            [
                "Skillset 'crm': Customer records. Its tools: find. Not available at the moment: broken; say so where it matters.",
                "Skillset 'other'. Its tools: find_2. Not available at the moment: docs; say so where it matters.",
            ],
            tools.Guidance);
        Assert.Equal("""{"type":"object","properties":{}}""", System.Text.Encoding.UTF8.GetString(tools.Find("find")!.Parameters.Span));
        Assert.Equal(("canary", false), (server.Requests[0].Headers["authorization"], result.IsFailure));
    }
}
