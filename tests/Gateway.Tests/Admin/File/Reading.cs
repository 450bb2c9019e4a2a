using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

/// <summary>Short ways to read a file with a scripted environment.</summary>
internal static class Reading
{
    /// <summary>A complete provider, for files whose subject is something else.</summary>
    public const string Provider = """
        providers:
          - { name: openai, baseUrl: https://api.openai.com/v1 }

        """;

    public static GatewayFile Valid(string yaml, params (string Name, string Value)[] environment)
    {
        var result = Read(yaml, environment);
        Assert.Empty(result.Errors.Select(e => e.ToString()));
        return result.File!;
    }

    /// <summary>The errors as an operator sees them; the file must not be given along with them.</summary>
    public static string[] Errors(string yaml, params (string Name, string Value)[] environment)
    {
        var result = Read(yaml, environment);
        Assert.Null(result.File);
        Assert.NotEmpty(result.Errors);
        return [.. result.Errors.Select(e => e.ToString())];
    }

    public static string Error(string yaml, params (string Name, string Value)[] environment) =>
        Assert.Single(Errors(yaml, environment));

    /// <summary>The errors of a single bot with these further lines.</summary>
    public static string[] BotErrors(string lines) => Errors(Bot(lines));

    /// <summary>A workspace's bot on line 4; the further lines start on line 6.</summary>
    public static string Bot(string lines) =>
        "workspaces:\n  - name: acme\n    bots:\n      - id: support\n        model: gpt-4o\n" +
        string.Concat(lines.Split('\n').Select(line => $"        {line}\n"));

    private static GatewayFileResult Read(string yaml, (string Name, string Value)[] environment) =>
        GatewayFileReader.Read(yaml, name => environment.FirstOrDefault(v => v.Name == name).Value);
}
