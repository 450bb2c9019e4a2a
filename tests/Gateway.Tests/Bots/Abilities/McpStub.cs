using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bots.Abilities;

/// <summary>An MCP server with the tools <c>slow</c> and <c>once</c>, which says when it does not know a session.</summary>
internal sealed class McpStub : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _begun = new();
    private OutsideServer _server = null!;
    private int _sessions;

    public string Url => _server.Url;

    public int Sessions => _sessions;

    /// <param name="call">Runs a tool; false: the session is unknown.</param>
    public static async Task<McpStub> StartAsync(Func<string, HttpContext, Task<bool>> call)
    {
        var stub = new McpStub();
        stub._server = await OutsideServer.StartAsync(http => stub.AnswerAsync(http, call));
        return stub;
    }

    public int Count(string tool) => _calls.Count(c => c == tool);

    /// <summary>Until the tool has been called.</summary>
    public Task WaitForAsync(string tool, CancellationToken cancel) => Begun(tool).Task.WaitAsync(cancel);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private TaskCompletionSource Begun(string tool) => _begun.GetOrAdd(tool, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task AnswerAsync(HttpContext http, Func<string, HttpContext, Task<bool>> call)
    {
        if (http.Request.Method != "POST")
        {
            http.Response.StatusCode = http.Request.Method == "DELETE" ? 200 : 405;
            return;
        }

        var request = JsonNode.Parse((string)http.Items["body"]!)!;
        switch ((string?)request["method"])
        {
            case "initialize":
                http.Response.Headers["Mcp-Session-Id"] = $"s{Interlocked.Increment(ref _sessions)}";
                await ReplyAsync(http, request, """{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"stub","version":"1"}}""");
                break;
            case "tools/list":
                await ReplyAsync(http, request, """{"tools":[{"name":"slow","inputSchema":{"type":"object"}},{"name":"once","inputSchema":{"type":"object"}}]}""");
                break;
            case "tools/call":
                var tool = (string)request["params"]!["name"]!;
                _calls.Enqueue(tool);
                Begun(tool).TrySetResult();
                if (await call(tool, http))
                {
                    await ReplyAsync(http, request, $$"""{"content":[{"type":"text","text":"did {{tool}}"}]}""");
                }
                else
                {
                    http.Response.StatusCode = 404;
                }

                break;
            case { } other when request["id"] is not null:
                http.Response.ContentType = "application/json";
                await http.Response.WriteAsync($$"""{"jsonrpc":"2.0","id":{{request["id"]!.ToJsonString()}},"error":{"code":-32601,"message":"no {{other}}"} }""");
                break;
            default:
                http.Response.StatusCode = 202;
                break;
        }
    }

    private static Task ReplyAsync(HttpContext http, JsonNode request, string result)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync($$"""{"jsonrpc":"2.0","id":{{request["id"]!.ToJsonString()}},"result":{{result}} }""");
    }
}
