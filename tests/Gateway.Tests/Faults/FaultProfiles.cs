using System.Globalization;
using System.Text;

namespace Gateway.Tests.Faults;

/// <summary>A kind of model. Of each there are many alike, since circuits and scripts are kept by a model's name.</summary>
/// <param name="Deployments">As in the file; <c>{name}</c> is the model's.</param>
/// <param name="Fallbacks">The deployments of the models <c>{name}-f1</c>, <c>{name}-f2</c>.</param>
/// <param name="Clock">Of headers, first content and idle.</param>
/// <param name="Options">Further fields.</param>
internal sealed record FaultProfile(
    string Name, string Deployments, string[] Fallbacks, string Clock = "20s", string Total = "30s", int Retries = 2,
    string Breaker = FaultProfiles.NeverOpens, string Options = "", bool IsNarrow = false, int Count = 24);

/// <summary>The file that the fault suite's gateway is started with.</summary>
internal static class FaultProfiles
{
    /// <summary>How long the clocks of profiles named <c>quick…</c> run.</summary>
    public static readonly TimeSpan QuickClock = TimeSpan.FromSeconds(1.2);

    /// <summary>The total of the profile <c>brief</c>.</summary>
    public static readonly TimeSpan BriefTotal = TimeSpan.FromSeconds(2);

    public const string NeverOpens = "{ minimum: 1000000 }";
    private const string Quick = "1200ms";
    private const string First = "{ provider: a, weight: 100000000 }";
    private const string OpensSoon = "{ minimum: 2, open: 2s }";

    private static readonly FaultProfile[] All =
    [
        new("alone", "{ provider: a }", [], Count: 72),
        new("pair", $"{First}, {{ provider: b }}", [], Count: 72),
        new("chain", "{ provider: a }", ["{ provider: c }", "{ provider: d }"]),
        new("once", "{ provider: a }", ["{ provider: c }", "{ provider: d }"], Retries: 0),
        new("wide", $"{First}, {{ provider: b }}", ["{ provider: c }"], Count: 72),
        new("quickalone", "{ provider: a }", [], Quick),
        new("quickpair", $"{First}, {{ provider: b }}", [], Quick),
        new("brief", $"{First}, {{ provider: b }}", [], Total: "2s"),
        new("even", "{ provider: a, weight: 3 }, { provider: b, weight: 1 }", []),
        new("nowhere", "{ provider: nowhere }", []),
        new("nowherepair", "{ provider: nowhere, weight: 100000000 }, { provider: b }", []),
        new("breaker", "{ provider: a }", [], Retries: 0, Breaker: OpensSoon),
        new("breakerpair", $"{First}, {{ provider: b }}", [], Retries: 0, Breaker: OpensSoon),
        new("narrow", "{ provider: {name} }", [], IsNarrow: true),
        new("narrowpair", "{ provider: {name}, weight: 100000000 }, { provider: b }", [], IsNarrow: true),
        new("narrowchain", "{ provider: {name} }", ["{ provider: c }"], IsNarrow: true),
        new("prefill", "{ provider: a }", ["{ provider: c, supportsPrefill: true }"], Count: 72),
        new("prefills", "{ provider: a }", ["{ provider: c, supportsPrefill: true }", "{ provider: d, supportsPrefill: true }"]),
        new("selfprefill", "{ provider: a, supportsPrefill: true }", []),
        new("quickprefill", "{ provider: a }", ["{ provider: c, supportsPrefill: true }"], Quick),
        new("replay", "{ provider: a }", ["{ provider: c }"], Options: "rescue: replay", Count: 72),
        new("either", "{ provider: a }", ["{ provider: c, supportsPrefill: true }"], Options: "rescue: replay", Count: 72),
        new("norescue", "{ provider: a }", ["{ provider: c, supportsPrefill: true }"], Options: "rescue: off"),
        new("flapping", "{ provider: a }", ["{ provider: c }"], Breaker: "{ window: 2s, open: 1s }", Count: 4),
        new("flappingslow", "{ provider: a }", ["{ provider: c }"], Breaker: "{ }", Count: 4),
        new("reload", "{ provider: a }", [], Total: "60s", Retries: 5, Count: 1),
    ];

    public static int CountOf(string profile) => All.Single(p => p.Name == profile).Count;

    /// <param name="urls">Base URLs of the providers a to d, and of one where nobody listens.</param>
    public static string Yaml(IReadOnlyDictionary<string, string> urls)
    {
        var yaml = new StringBuilder("providers:\n");
        foreach (var (name, url) in urls)
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  - {{ name: {name}, baseUrl: {url} }}\n");
        }

        foreach (var name in All.Where(p => p.IsNarrow).SelectMany(Names))
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  - {{ name: {name}, baseUrl: {urls["a"]}, maxConcurrency: 1 }}\n");
        }

        yaml.Append("models:\n");
        foreach (var profile in All)
        {
            foreach (var name in Names(profile))
            {
                Append(yaml, profile, name);
            }
        }

        yaml.Append("  - { name: \"*\", deployments: [ { provider: a } ] }\n");
        yaml.Append("workspaces:\n  - name: acme\n    bots:\n");
        foreach (var name in All.SelectMany(Names))
        {
            yaml.Append(CultureInfo.InvariantCulture, $"      - {{ id: {name}, name: {name}, model: {name}, backstory: Be a bot. }}\n");
        }

        return yaml.ToString();
    }

    private static IEnumerable<string> Names(FaultProfile profile) =>
        Enumerable.Range(0, profile.Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{profile.Name}-{i}"));

    private static void Append(StringBuilder yaml, FaultProfile profile, string name)
    {
        var shared = $"""
                retries: {profile.Retries}
                breaker: {profile.Breaker}
                timeouts: {"{"} connect: 3s, headers: {profile.Clock}, firstContent: {profile.Clock}, idle: {profile.Clock}, total: {profile.Total} {"}"}
            """;
        var fallbacks = profile.Fallbacks.Select((deployments, i) => (Name: $"{name}-f{i + 1}", Deployments: deployments)).ToArray();
        yaml.Append(CultureInfo.InvariantCulture, $"""
              - name: {name}
                deployments: [ {profile.Deployments.Replace("{name}", name, StringComparison.Ordinal)} ]
                fallbacks: [{string.Join(", ", fallbacks.Select(f => f.Name))}]
            {shared}

            """);
        if (profile.Options.Length > 0)
        {
            yaml.Append(CultureInfo.InvariantCulture, $"    {profile.Options}\n");
        }

        foreach (var (fallback, deployments) in fallbacks)
        {
            yaml.Append(CultureInfo.InvariantCulture, $"""
                  - name: {fallback}
                    deployments: [ {deployments} ]
                {shared}

                """);
        }
    }
}
