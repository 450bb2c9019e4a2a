using System.Text.RegularExpressions;
using Gateway.Data;

namespace Gateway.Admin.File;

/// <summary>The secrets that an ability names with <c>{secret:name}</c>.</summary>
internal static partial class SecretNames
{
    /// <summary>Where a name stands, and the name.</summary>
    public static IEnumerable<(FilePlace At, string Name)> Of(FileValue ability)
    {
        foreach (var part in new[] { ability["http"], ability["mcp"] }.OfType<FileValue>())
        {
            foreach (var value in new[] { part["url"], part["body"] }.OfType<FileValue>().Concat(part.Map("headers").Values))
            {
                var text = value.Content is Secret secret ? secret.Reveal() : (string)value.Content;
                foreach (Match match in Placeholder().Matches(text))
                {
                    yield return (value.At, match.Groups["name"].Value);
                }
            }
        }
    }

    /// <summary>The same of an ability as it is stored.</summary>
    public static IEnumerable<string> Of(string settingsJson) => Placeholder().Matches(settingsJson).Select(m => m.Groups["name"].Value);

    [GeneratedRegex(@"\{secret:(?<name>[^{}]*)\}", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
