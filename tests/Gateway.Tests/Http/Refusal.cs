using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

[CollectionDefinition(Name)]
public sealed class HttpTestsShareOneGateway : ICollectionFixture<ScriptedGateway>
{
    public const string Name = "The edge";
}

/// <summary>Judges refusals: the envelope by its schema, and each of its members.</summary>
internal static class Refusal
{
    public static async Task<string> AssertRefusedAsync(
        this ScriptedGateway setup, RawReply reply, int status, string? code, string? param = null,
        string type = "invalid_request_error")
    {
        Assert.True(status == reply.Status, $"Expected {status}, got {reply.Status}: {reply.Text}");
        Assert.False(reply.Broken);
        Assert.Equal("application/json", reply.ContentType);
        Assert.False(string.IsNullOrEmpty(reply.Headers.GetValueOrDefault("x-request-id")));
        Assert.Equal(reply.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), reply.Headers["Content-Length"]);
        Assert.Equal(status is 429 or 503, reply.Headers.ContainsKey("Retry-After"));
        await setup.Schemas.AssertValidAsync("ErrorResponse", reply.Body, TestContext.Current.CancellationToken);
        var error = JsonNode.Parse(reply.Body)!["error"]!;
        Assert.Equal((type, code, param), ((string?)error["type"], (string?)error["code"], (string?)error["param"]));
        return (string)error["message"]!;
    }
}
