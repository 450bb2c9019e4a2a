using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Bots;
using Gateway.Bots.Abilities;
using Gateway.Bots.Egress;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>The request that an ability made; secrets are marks.</summary>
internal sealed record TriedRequest(string Method, string Url, IReadOnlyDictionary<string, string> Headers, string? Body);

/// <summary>What became of one try.</summary>
/// <param name="Request">Absent: none was made.</param>
/// <param name="Status">Of an HTTP reply; absent: there was none.</param>
/// <param name="Result">As a model would read it.</param>
internal sealed record AbilityTry(TriedRequest? Request, int? Status, string Result, bool IsFailure, double Ms)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "ability.try";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AbilityTry))]
internal sealed partial class AbilityTryJson : JsonSerializerContext;

/// <summary>
/// <c>POST /admin/v1/abilities/{id}/try</c>: <c>{"arguments"?: {…}, "tool"?: "name"}</c> runs an ability as a bot would, for whoever
/// sets one up. A workspace's admin key reaches its own workspace's abilities alone.
/// </summary>
internal static class AbilityTryEndpoint
{
    public static IEndpointRouteBuilder MapAbilityTry(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/abilities/{id}/try", TryAsync)
            .WithMetadata(new RouteDoc("Runs an ability as a bot would, and shows the request that it makes."));
        return admin;
    }

    private static async Task<IResult> TryAsync(
        HttpContext http, string id, GatewayDb db, BotReader reader, AbilityTools tools, EgressGuard guard, BodyLimits limits,
        TimeProvider clock, CancellationToken cancel)
    {
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            return refused!.ToResult();
        }

        using (body)
        {
            if (!JsonBody.TryRead(body.Memory, null, out var json, out var error)
                || !TryRead(json, out var arguments, out var tool, out error))
            {
                return error!.ToResult();
            }

            var workspace = RequestFacts.Of(http).Caller!.WorkspaceId;
            var row = Guid.TryParse(id, out var guid)
                ? await db.Abilities.AsNoTracking()
                    .FirstOrDefaultAsync(a => a.Id == guid && (workspace == null || a.WorkspaceId == workspace), cancel)
                : null;
            if (row is null)
            {
                return ApiError.NotFound("ability").ToResult();
            }

            var secrets = await reader.SecretsAsync(db, row.WorkspaceId);
            var ability = BotReader.Read(row);
            var started = clock.GetTimestamp();
            var (outcome, wrong) = tools.Read(ability) switch
            {
                HttpAbility request => (await request.RunAsync(guard, arguments, secrets, cancel), null),
                McpAbility mcp => await TryToolAsync(mcp, tool, arguments, secrets, cancel),
                _ => (new AbilityOutcome(ToolResult.Failed("The ability's settings cannot be read.")), null),
            };
            return wrong?.ToResult() ?? Results.Json(Show(outcome!, clock.GetElapsedTime(started)), AbilityTryJson.Default.AbilityTry);
        }
    }

    private static async Task<(AbilityOutcome? Outcome, ApiError? Error)> TryToolAsync(
        McpAbility mcp, string? name, JsonElement arguments, IReadOnlyDictionary<string, Secret> secrets, CancellationToken cancel)
    {
        var listing = await mcp.ListAsync(secrets, cancel);
        if (listing.Problem is { } problem)
        {
            return (new AbilityOutcome(ToolResult.Failed($"The MCP server gave no list of tools: {problem}")), null);
        }

        return listing.Tools.FirstOrDefault(t => t.ServerName == name || t.Name == name) is { } tool
            ? (await mcp.RunAsync(tool, arguments, secrets, cancel), null)
            : (null, ApiError.InvalidValue("tool", $"expected one of: {string.Join(", ", listing.Tools.Select(t => t.ServerName))}."));
    }

    private static bool TryRead(JsonBody json, out JsonElement arguments, out string? tool, out ApiError? error)
    {
        (arguments, tool, error) = (JsonElement.Parse("{}"), null, null);
        foreach (ref readonly var member in json.Members)
        {
            var name = System.Text.Encoding.UTF8.GetString(json.Name(member));
            switch (name)
            {
                case "arguments" when member.Kind == JsonTokenType.StartObject:
                    arguments = JsonElement.Parse(json.Value(member).Span);
                    break;
                case "tool" when member.Kind == JsonTokenType.String:
                    tool = json.Text(member);
                    break;
                case "arguments" or "tool" when member.Kind == JsonTokenType.Null:
                    break;
                case "arguments" or "tool":
                    error = ApiError.InvalidType(name, name == "tool" ? "a string" : "an object", JsonBody.KindName(member.Kind));
                    return false;
                default:
                    error = ApiError.InvalidValue(name, "unknown field; expected one of: arguments, tool.");
                    return false;
            }
        }

        return true;
    }

    private static AbilityTry Show(AbilityOutcome outcome, TimeSpan time) => new(
        outcome.Request is { } sent ? new TriedRequest(sent.Method, sent.Url, sent.Headers, sent.Body) : null,
        outcome.Status, outcome.Result.Text, outcome.Result.IsFailure, Math.Round(time.TotalMilliseconds, 1));
}
