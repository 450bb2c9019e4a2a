using System.CommandLine;
using Gateway.Data;

namespace Gateway.Cli;

/// <summary><c>gateway serve</c>, which is also what happens without a command; Program does it.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    /// <summary>Settings that have no section; all others have one and thus a colon, as in <c>Gateway:Demo</c>.</summary>
    private static readonly HashSet<string> Plain = new(StringComparer.OrdinalIgnoreCase)
    {
        "urls", "environment", "contentRoot", "applicationName", "OPENAI_API_KEY",
    };

    /// <summary>Here for the help text alone.</summary>
    public static Command Make()
    {
        var serve = new Command(Name, "Serves. The default. Any setting may be given as --Section:Name VALUE.");
        serve.Options.Add(new Option<string>("--urls")
        {
            Description = "Where it listens, as http://host:port, several with ';'. Default: ASPNETCORE_URLS, or http://127.0.0.1:8080.",
        });
        serve.TreatUnmatchedTokensAsErrors = false;
        return serve;
    }

    /// <summary>
    /// The arguments behind <c>serve</c>, checked: the configuration reader would pass over in silence what is no setting,
    /// and a mistyped option would serve as if it had not been there.
    /// </summary>
    /// <exception cref="SettingsException">There is something that is no setting, or one without a value.</exception>
    public static string[] Arguments(string[] args)
    {
        var rest = args is [Name, ..] ? args[1..] : args;
        for (var i = 0; i < rest.Length; i++)
        {
            var equals = rest[i].IndexOf('=', StringComparison.Ordinal);
            var key = (equals < 0 ? rest[i] : rest[i][..equals]).TrimStart('-');
            if (!rest[i].StartsWith("--", StringComparison.Ordinal) || (!Plain.Contains(key) && !key.Contains(':', StringComparison.Ordinal)))
            {
                throw new SettingsException($"'{rest[i]}' is neither a command nor a setting. See 'gateway --help'.");
            }

            if (equals < 0 && ++i == rest.Length)
            {
                throw new SettingsException($"'{rest[^1]}' needs a value.");
            }
        }

        return rest;
    }
}
