using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots;

/// <summary>Reads a bot with all that it is made of.</summary>
internal sealed class BotReader(SecretBox box, ILogger<BotReader> log)
{
    /// <summary>Null when there is none.</summary>
    public async Task<Bot?> ReadAsync(GatewayDb db, Guid workspace, string id)
    {
        // First, so that nothing that is read is older than it says.
        var version = await db.ConfigVersions.Select(v => v.Version).SingleAsync();
        var row = await db.Bots.AsNoTracking().SingleOrDefaultAsync(b => b.WorkspaceId == workspace && b.Id == id);
        if (row is null)
        {
            return null;
        }

        var skillsets = await SkillsetsAsync(db, row);
        return new Bot(
            row.Id, row.Name, row.Description, row.Model, row.Backstory, Encoding.UTF8.GetBytes(row.Parameters),
            row.LockedParameters, version)
        {
            Limits = LimitValues.From(row.Limits),
            Turn = TurnLimits.From(row.Turn),
            Datasets = await DatasetsAsync(db, row),
            Skillsets = skillsets,
            Secrets = skillsets.Count == 0 ? new Dictionary<string, Secret>() : await SecretsAsync(db, workspace),
            WebSearch = row.WebSearch,
            Team = [.. Items(row.Team).Select(m => new TeamMember(
                m.GetProperty("bot").GetString()!, Text(m, "description"), m.TryGetProperty("handoff", out var flag) && flag.GetBoolean()))],
            ClientTools = Encoding.UTF8.GetBytes(row.ClientTools),
            ExposeSteps = row.ExposeSteps,
        };
    }

    /// <summary>Asks everything once that reading a bot asks, of a workspace that is not there.</summary>
    public async Task WarmAsync(GatewayDb db)
    {
        var nobody = new BotRow
        {
            Id = "",
            Name = "",
            Description = "",
            Model = "",
            Backstory = "",
            Parameters = "{}",
            LockedParameters = [],
            Datasets = """[{"name":""}]""",
            Skillsets = [""],
        };
        await ReadAsync(db, nobody.WorkspaceId, nobody.Id);
        await DatasetsAsync(db, nobody);
        await SkillsetsAsync(db, nobody);
        await SecretsAsync(db, nobody.WorkspaceId);
    }

    /// <summary>The workspace's secrets by name; one that cannot be opened is left out, and said in the log.</summary>
    public async Task<IReadOnlyDictionary<string, Secret>> SecretsAsync(GatewayDb db, Guid workspace)
    {
        var name = await db.Workspaces.Where(w => w.Id == workspace).Select(w => w.Name).SingleOrDefaultAsync();
        var secrets = new Dictionary<string, Secret>(StringComparer.Ordinal);
        foreach (var row in await db.Secrets.AsNoTracking().Where(s => s.WorkspaceId == workspace).ToListAsync())
        {
            try
            {
                secrets[row.Name] = box.Open(row.Value, SecretOwners.WorkspaceSecret(name ?? "", row.Name));
            }
            catch (CryptographicException)
            {
                log.SecretUnreadable(row.Name);
            }
        }

        return secrets;
    }

    public static Dataset Read(DatasetRow row) => new(
        row.WorkspaceId, row.Id, row.Name, row.Description, row.Language, row.EmbeddingModel, row.SearchMaxRecords, row.SearchMinScore,
        row.SearchMaxTokens, row.MatchInstruction, row.MismatchInstruction);

    public static Ability Read(AbilityRow row) => new(
        row.Id, row.Name, row.Description, row.Kind, Encoding.UTF8.GetBytes(row.Parameters), Encoding.UTF8.GetBytes(row.Settings));

    private static async Task<List<BotDataset>> DatasetsAsync(GatewayDb db, BotRow bot)
    {
        var named = Items(bot.Datasets).Select(d => (Name: d.GetProperty("name").GetString()!, IsAlways: Text(d, "mode") == "always")).ToList();
        if (named.Count == 0)
        {
            return [];
        }

        var names = named.Select(d => d.Name).ToArray();
        var rows = await db.Datasets.AsNoTracking()
            .Where(d => d.WorkspaceId == bot.WorkspaceId && d.IsEnabled && names.Contains(d.Name)).ToDictionaryAsync(d => d.Name);
        return [.. named.Where(d => rows.ContainsKey(d.Name)).Select(d => new BotDataset(Read(rows[d.Name]), d.IsAlways))];
    }

    private static async Task<List<Skillset>> SkillsetsAsync(GatewayDb db, BotRow bot)
    {
        if (bot.Skillsets.Length == 0)
        {
            return [];
        }

        var rows = await db.Skillsets.AsNoTracking().Include(s => s.Abilities)
            .Where(s => s.WorkspaceId == bot.WorkspaceId && s.IsEnabled && bot.Skillsets.Contains(s.Name)).ToDictionaryAsync(s => s.Name);
        return
        [
            .. bot.Skillsets.Where(rows.ContainsKey).Select(name => rows[name]).Select(s => new Skillset(
                s.Name, s.Description, [.. s.Abilities.OrderBy(a => a.Position).Select(Read)])),
        ];
    }

    private static List<JsonElement> Items(string json)
    {
        using var parsed = JsonDocument.Parse(json);
        return [.. parsed.RootElement.EnumerateArray().Select(e => e.Clone())];
    }

    private static string Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
