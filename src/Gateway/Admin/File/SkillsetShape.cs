using static Gateway.Admin.File.FileShape;
using static Gateway.Admin.File.FileTexts;

namespace Gateway.Admin.File;

internal static class SkillsetShape
{
    private static readonly Duration Time = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10));

    private static readonly Text Url = new(
        MaxLength: 4_000, Pattern: @"^https?://[^\s/?#@{}\\]+([/?#]\S*)?$",
        Expected: "an address such as https://crm.example.com/customers?email={email}, its host without placeholders or credentials");

    // A template, whose credentials are {secret:name}; errors must not show those that were written out all the same.
    private static readonly Text HeaderValue = new(
        MaxLength: 16_384, Pattern: "^[ -~]+$", Expected: "printable ASCII on one line", IsSecret: true);

    private static readonly RefusedNames RefusedByHttp = new(
        StringComparer.OrdinalIgnoreCase,
        ConnectionHeaders.Append("host").ToDictionary(name => name, _ => "the gateway sets it itself", StringComparer.OrdinalIgnoreCase));

    private static readonly FileShape.Object Http = new(
        new("method", new Text(OneOf: ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]), "How it is asked.", Default: FileAbility.DefaultMethod),
        new("url", Url, "Where it is; {parameter} and {secret:name} are filled in behind the host.", IsRequired: true),
        new("headers", new TextMap(HeaderName, HeaderValue, RefusedByHttp), "Sent with it; {parameter} and {secret:name} are filled in."),
        new("body", new Text(MaxLength: 100_000, HasLines: true), "Sent with it; {parameter} and {secret:name} are filled in."),
        new("timeout", Time, "Longest that it may take.", Default: FileDuration.Format(FileAbility.DefaultHttpTimeout)),
        new("maxBytes", new Number(1, 16 * 1_048_576, IsWhole: true), "Most of the response that is read.", Default: Show(FileAbility.DefaultMaxBytes)),
        new("pick", new Text(MaxLength: 1_000, Pattern: "^(/([^~/]|~[01])*)+$", Expected: "a JSON Pointer such as /customer"),
            "The part of the response that the model gets, as a JSON Pointer. Absent: all of it."));

    private static readonly FileShape.Object Mcp = new(
        new("url", Url, "Where the server is; {secret:name} is filled in behind the host.", IsRequired: true),
        new("headers", new TextMap(HeaderName, HeaderValue, Headers([.. ConnectionHeaders, "accept", "content-type", "host"])),
            "Sent with every request to it; {secret:name} is filled in."),
        new("tools", new List(
                new Text(Pattern: @"^\S+$", Expected: "a tool's name, '*' standing for any part of it"), UniqueBy: "",
                EmptyAdvice: "leave the field out to offer all of the server's tools"),
            "The only tools of the server that are offered. Absent: all."),
        new("timeout", Time, "Longest that a call may take.", Default: FileDuration.Format(FileAbility.DefaultMcpTimeout)));

    public static readonly FileShape.Object Ability = new(
        new("name", new Text(MaxLength: 64, Pattern: "^[A-Za-z0-9_-]+$", Expected: "a tool's name: letters, digits, '_' and '-'"),
            "What the model calls it. Its identity in the skillset; the same name in two skillsets of a bot gets a number.", IsRequired: true),
        new("description", Prose, "Tells the model what it does and when to use it."),
        new("parameters", new Json(RefusedNames.None), "A JSON Schema of its arguments. An MCP server has its own."),
        new("http", Http, "A request to an HTTP API."),
        new("mcp", Mcp, "The tools of an MCP server, over streamable HTTP."));

    public static readonly FileShape.Object Skillset = new(
        new("name", SkillsetName, "What bots call it. Its identity in the workspace.", IsRequired: true),
        new("description", Prose, "What its abilities are for: told to the model."),
        new("enabled", YesNo, "Whether bots have its abilities.", Default: "true"),
        new("abilities", new List(Ability, UniqueBy: "name"), "What a bot with this skillset can do, in this order."),
        Manager);
}
