using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Bots.Egress;
using Gateway.Data;
using Gateway.Observability;

namespace Gateway.Bots.Abilities;

/// <summary>Gives bots the tools of their skillsets.</summary>
internal sealed class AbilityTools(EgressGuard guard, McpServers servers, ILogger<AbilityTools> log) : IToolSource
{
    /// <summary>What was read of an ability, for as long as the bot that has it is in memory. Null: it cannot be used.</summary>
    private readonly ConditionalWeakTable<Ability, object?> _read = [];

    public bool IsFor(TurnContext turn) => turn.Bot.Skillsets.Count > 0;

    public async ValueTask AddAsync(TurnContext turn, Toolset tools, CancellationToken cancel)
    {
        var abilities = turn.Bot.Skillsets.SelectMany(s => s.Abilities).ToList();
        // All servers at a time: one that is slow costs a turn its own time alone.
        var listings = abilities.Select(Read).OfType<McpAbility>().Distinct()
            .ToDictionary(mcp => mcp, mcp => mcp.ListAsync(turn.Bot.Secrets, cancel));
        await Task.WhenAll(listings.Values);

        foreach (var skillset in turn.Bot.Skillsets)
        {
            var names = new List<string>();
            var missing = new List<string>();
            foreach (var ability in skillset.Abilities)
            {
                switch (Read(ability))
                {
                    case HttpAbility http:
                        names.Add(tools.Add(new HttpAbilityTool(ability, http, guard)));
                        break;
                    case McpAbility mcp when await listings[mcp] is { Problem: null } listing:
                        names.AddRange(listing.Tools.Select(tool => tools.Add(new McpAbilityTool(mcp, tool))));
                        break;
                    default:
                        missing.Add(ability.Name);
                        break;
                }
            }

            tools.AddGuidance(Guidance(skillset, names, missing));
        }
    }

    /// <summary>The ability as it can be run: <see cref="HttpAbility"/> or <see cref="McpAbility"/>; null: not at all.</summary>
    public object? Read(Ability ability) => _read.GetValue(ability, unread =>
    {
        try
        {
            return unread.Kind == AbilityKind.Http ? new HttpAbility(unread) : new McpAbility(unread, servers);
        }
        catch (FormatException wrong)
        {
            log.AbilityUnusable(unread.Name, wrong.Message);
            return null;
        }
    });

    private static string Guidance(Skillset skillset, List<string> names, List<string> missing)
    {
        var text = new StringBuilder($"Skillset '{skillset.Name}'");
        text.Append(skillset.Description.Length == 0 ? "." : $": {skillset.Description.Trim()}");
        text.Append(names.Count == 0 ? "" : $" Its tools: {string.Join(", ", names)}.");
        text.Append(missing.Count == 0 ? "" : $" Not available at the moment: {string.Join(", ", missing)}; say so where it matters.");
        return text.ToString();
    }
}
