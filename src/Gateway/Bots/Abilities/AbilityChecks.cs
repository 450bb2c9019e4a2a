using System.Text.Json;
using Gateway.Data;

namespace Gateway.Bots.Abilities;

/// <param name="Path">Within the ability, such as <c>http.headers.accept</c> or <c>parameters.properties.id</c>.</param>
/// <param name="Why">What is wrong and what was expected; a sentence.</param>
internal sealed record AbilityMistake(string Path, string Why);

/// <summary>What is wrong in an ability, for whoever writes one: the file's reader and the API. Pure.</summary>
internal static class AbilityChecks
{
    public const int LongestName = 64;

    private const int LongestTimeoutMs = 120_000;
    private const int ShortestTimeoutMs = 100;
    private const int MostBytes = 4 * 1024 * 1024;

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    private static readonly string[] HttpFields = ["method", "url", "headers", "body", "timeout", "maxBytes", "pick"];
    private static readonly string[] McpFields = ["url", "headers", "tools", "timeout"];

    /// <summary>Null when it can be the name of a tool.</summary>
    public static string? NameMistake(string name) =>
        name.Length is > 0 and <= LongestName && name.All(IsNameCharacter)
            ? null
            : $"expected a name for a tool: letters, digits, '_' and '-', {LongestName} at most.";

    /// <summary>Anything as a name for a tool.</summary>
    public static string ToName(string text)
    {
        var name = string.Concat(text.Take(LongestName).Select(c => IsNameCharacter(c) ? c : '_'));
        return name.Length == 0 ? "tool" : name;
    }

    /// <param name="parameters">The schema of the arguments; <c>{}</c> for an MCP server.</param>
    /// <param name="settings">See <see cref="AbilityRow.Settings"/>.</param>
    /// <returns>Empty: all is right. Whether its secrets are there is not looked at, see <see cref="Secrets"/>.</returns>
    public static IReadOnlyList<AbilityMistake> Of(AbilityKind kind, string name, JsonElement parameters, JsonElement settings)
    {
        var mistakes = new List<AbilityMistake>();
        void Wrong(string path, string why) => mistakes.Add(new AbilityMistake(path, why));

        if (NameMistake(name) is { } wrongName)
        {
            Wrong("name", wrongName);
        }

        var kindName = kind == AbilityKind.Http ? "http" : "mcp";
        if (settings.ValueKind != JsonValueKind.Object)
        {
            Wrong(kindName, "expected an object.");
            return mistakes;
        }

        SettingsChecks.CheckFields(settings, kind == AbilityKind.Http ? HttpFields : McpFields, kindName, Wrong);
        SettingsChecks.CheckHeaders(settings, kindName, Wrong);
        SettingsChecks.CheckNumber(settings, "timeout", ShortestTimeoutMs, LongestTimeoutMs, "milliseconds", kindName, Wrong);
        if (kind == AbilityKind.Http)
        {
            SchemaRules.Check(parameters, "parameters", Wrong);
            CheckHttp(settings, Wrong);
        }
        else
        {
            CheckMcp(parameters, settings, Wrong);
        }

        SettingsChecks.CheckUrl(settings, kindName, Wrong);
        SettingsChecks.CheckPlaceholders(settings, kind == AbilityKind.Http ? NamesOf(parameters) : null, kindName, Wrong);
        return mistakes;
    }

    /// <summary>The secrets of the workspace that an ability needs.</summary>
    public static IReadOnlySet<string> Secrets(JsonElement settings) =>
        SettingsChecks.Texts(settings, "").SelectMany(t => Template.Read(t.Text).Parts.OfType<TemplatePart.SecretOf>())
            .Select(s => s.Name).ToHashSet(StringComparer.Ordinal);

    private static void CheckHttp(JsonElement settings, Action<string, string> wrong)
    {
        var method = settings.TryGetProperty("method", out var named) ? named.ValueKind == JsonValueKind.String ? named.GetString()! : "" : "GET";
        if (!Methods.Contains(method, StringComparer.Ordinal))
        {
            wrong("http.method", $"expected one of: {string.Join(", ", Methods)}.");
        }

        if (method is "GET" or "HEAD" && settings.TryGetProperty("body", out var body) && body.ValueKind != JsonValueKind.Null)
        {
            wrong("http.body", $"a {method} request has none.");
        }

        SettingsChecks.CheckNumber(settings, "maxBytes", 1, MostBytes, "bytes", "http", wrong);
        if (settings.TryGetProperty("pick", out var pick)
            && !(pick.ValueKind == JsonValueKind.String && pick.GetString() is { Length: > 0 } pointer && JsonPointer.IsPointer(pointer)))
        {
            wrong("http.pick", "expected a JSON Pointer, such as /customer/name.");
        }
    }

    private static void CheckMcp(JsonElement parameters, JsonElement settings, Action<string, string> wrong)
    {
        if (parameters.ValueKind != JsonValueKind.Object || parameters.EnumerateObject().Any())
        {
            wrong("parameters", "an MCP server's tools have their own; leave them out.");
        }

        if (settings.TryGetProperty("tools", out var tools)
            && !(tools.ValueKind == JsonValueKind.Array && tools.GetArrayLength() > 0
                && tools.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String && t.GetString()!.Length > 0)))
        {
            wrong("mcp.tools", "expected names of tools, in which * stands for anything, such as [\"search*\"].");
        }
    }

    private static HashSet<string> NamesOf(JsonElement parameters) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("properties", out var properties)
        && properties.ValueKind == JsonValueKind.Object
            ? properties.EnumerateObject().Select(p => p.Name).ToHashSet(StringComparer.Ordinal)
            : [];

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-';
}
