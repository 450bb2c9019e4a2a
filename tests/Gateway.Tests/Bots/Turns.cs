using System.Text.Json;
using Gateway.Bots;
using Gateway.Data;
using Gateway.Http;

namespace Gateway.Tests.Bots;

/// <summary>Turns for tools that are run by themselves, without a model or a caller behind them.</summary>
internal static class Turns
{
    public static Dictionary<string, Secret> Secrets(params (string Name, string Value)[] secrets) =>
        secrets.ToDictionary(s => s.Name, s => new Secret(s.Value));

    public static Ability Http(string settings, string parameters = "{}", string name = "call") =>
        new(Guid.NewGuid(), name, $"Calls {name}.", AbilityKind.Http, Bytes(parameters), Bytes(settings));

    public static Ability Mcp(string settings, string name = "docs") =>
        new(Guid.NewGuid(), name, "", AbilityKind.Mcp, Bytes("{}"), Bytes(settings));

    public static TurnContext Of(
        IReadOnlyList<Skillset>? skillsets = null, Dictionary<string, Secret>? secrets = null, bool maySearchWeb = false) => new()
        {
            Bot = new Bot("helper", "Helper", "", "m", "", Bytes("{}"), [], 1) { Skillsets = skillsets ?? [], Secrets = secrets ?? [] },
            Caller = new Caller(Guid.NewGuid(), "acme", Guid.NewGuid(), "web", Scopes.Chat, [], null, IsRevoked: false),
            Selector = "bot/id=helper",
            // Tools outside ask no model, so there is nothing to meter.
            Metered = null!,
            Question = "",
            MaySearchWeb = maySearchWeb,
        };

    public static JsonElement Arguments(string json) => JsonElement.Parse(json);

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
