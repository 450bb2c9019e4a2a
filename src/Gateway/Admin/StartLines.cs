using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;

namespace Gateway.Admin;

/// <summary>
/// What a start tells the person at the terminal. Straight to standard output and not through the logger, whose lines
/// are collected and kept: on the first start one of them holds a key.
/// </summary>
internal static class StartLines
{
    public static void Print(IEnumerable<string> urls, GatewaySettings settings, string? firstKey)
    {
        var listening = urls.ToList();
        var print = Console.Out;
        print.WriteLine($"gateway listens on {string.Join(", ", listening)}");
        foreach (var name in settings.Unknown)
        {
            print.WriteLine(Warning(name));
        }

        print.WriteLine($"data directory: {settings.AbsoluteDataDirectory}");
        if (firstKey is null)
        {
            print.WriteLine("keys: gateway keys list | create --workspace default --name NAME");
            return;
        }

        print.WriteLine($"chat key of workspace '{FirstStart.DefaultWorkspace}', shown only now: {firstKey}");
        if (settings.Demo)
        {
            print.WriteLine("try it:");
            print.WriteLine(
                $"curl -s {Reachable(listening[0])}/v1/chat/completions -H 'Authorization: Bearer {firstKey}' -H 'Content-Type: application/json' "
                + $"-d '{{\"model\":\"bot/id={Catalog.DemoModel}\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is a bot?\"}}]}}'");
        }
    }

    /// <summary>The line about a setting that does nothing.</summary>
    public static string Warning(string name)
    {
        var shown = $"warning: {GatewaySettings.Section}__{FileWords.Quote(name)[1..^1]}";
        return name.ToUpperInvariant() switch
        {
            "CONNECTIONSTRING" => $"{shown} is no setting; did you mean ConnectionStrings__Gateway?",
            "OPENAIAPIKEY" => $"{shown} is no setting; did you mean OPENAI_API_KEY?",
            _ when FileWords.Nearest(name, GatewaySettings.Names) is { } near =>
                $"{shown} is no setting; did you mean {GatewaySettings.Section}__{near}?",
            _ => $"{shown} is no setting",
        };
    }

    /// <summary>An address that a person can paste: <c>[::]</c> and <c>+</c> are only good to listen on.</summary>
    private static string Reachable(string url)
    {
        var address = BindingAddress.Parse(url);
        var host = address.Host is "+" or "*" or "[::]" or "0.0.0.0" ? "127.0.0.1" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port}";
    }
}
