using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Upstream;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>Who would lose what a deletion takes, whether a file made it or the API.</summary>
internal static class ConfigUse
{
    /// <summary>One user, such as <c>bot 'acme/support' uses it</c>; null: there is none.</summary>
    public static async Task<string?> FindAsync(GatewayDb db, IConfigRow row, CancellationToken cancel) => row switch
    {
        ProviderRow provider => await OfProviderAsync(db, provider, cancel),
        ModelRow model => await OfModelAsync(db, model, cancel),
        EmbeddingModelRow model => await db.Datasets.Where(d => d.EmbeddingModel == model.Name)
            .Join(db.Workspaces, d => d.WorkspaceId, w => w.Id, (d, w) => $"dataset '{w.Name}/{d.Name}' uses it").FirstOrDefaultAsync(cancel),
        WorkspaceRow workspace => await OfWorkspaceAsync(db, workspace, cancel),
        SecretRow secret => await OfSecretAsync(db, secret, cancel),
        DatasetRow dataset => Says("bot", "uses it", await db.Bots.Where(b => b.WorkspaceId == dataset.WorkspaceId)
            .Where(b => EF.Functions.JsonContains(b.Datasets, Having("name", dataset.Name))).Select(b => b.Id).FirstOrDefaultAsync(cancel)),
        SkillsetRow skillset => Says("bot", "uses it", await db.Bots
            .Where(b => b.WorkspaceId == skillset.WorkspaceId && b.Skillsets.Contains(skillset.Name)).Select(b => b.Id).FirstOrDefaultAsync(cancel)),
        BotRow bot => Says("bot", "has it in its team", await db.Bots.Where(b => b.WorkspaceId == bot.WorkspaceId)
            .Where(b => EF.Functions.JsonContains(b.Team, Having("bot", bot.Id))).Select(b => b.Id).FirstOrDefaultAsync(cancel)),
        _ => null,
    };

    private static async Task<string?> OfProviderAsync(GatewayDb db, ProviderRow provider, CancellationToken cancel) =>
        Says("model", "uses it", await db.Models
            .Where(m => m.Deployments.Any(d => d.ProviderId == provider.Id)).Select(m => m.Name).FirstOrDefaultAsync(cancel))
        ?? Says("embedding model", "uses it", await db.EmbeddingModels
            .Where(m => m.ProviderId == provider.Id).Select(m => m.Name).FirstOrDefaultAsync(cancel));

    /// <summary>Whose name no other model has is left to the wildcard, which is used by whom no model answers by name.</summary>
    private static async Task<string?> OfModelAsync(GatewayDb db, ModelRow model, CancellationToken cancel)
    {
        var isWildcard = model.Name == Model.Wildcard;
        return Says("model", "falls back to it", await db.Models
                .Where(m => isWildcard ? m.Fallbacks.Any(f => !db.Models.Any(o => o.Name == f)) : m.Fallbacks.Contains(model.Name))
                .Select(m => m.Name).FirstOrDefaultAsync(cancel))
            ?? await db.Bots.Where(b => isWildcard ? !db.Models.Any(o => o.Name == b.Model) : b.Model == model.Name)
                .Join(db.Workspaces, b => b.WorkspaceId, w => w.Id, (b, w) => $"bot '{w.Name}/{b.Id}' uses it").FirstOrDefaultAsync(cancel);
    }

    private static async Task<string?> OfWorkspaceAsync(GatewayDb db, WorkspaceRow workspace, CancellationToken cancel)
    {
        var id = workspace.Id;
        return Says("model", "is limited to it", await db.Models
                .Where(m => m.Workspaces.Contains(workspace.Name)).Select(m => m.Name).FirstOrDefaultAsync(cancel))
            ?? Says("key", "belongs to it; revoke it first", await db.Keys
                .Where(k => k.WorkspaceId == id && k.RevokedAt == null).Select(k => k.Name).FirstOrDefaultAsync(cancel))
            ?? Says("bot", "belongs to it", await db.Bots.Where(b => b.WorkspaceId == id).Select(b => b.Id).FirstOrDefaultAsync(cancel))
            ?? Says("skillset", "belongs to it", await db.Skillsets.Where(s => s.WorkspaceId == id).Select(s => s.Name).FirstOrDefaultAsync(cancel))
            ?? Says("dataset", "belongs to it", await db.Datasets.Where(d => d.WorkspaceId == id).Select(d => d.Name).FirstOrDefaultAsync(cancel))
            ?? Says("secret", "belongs to it", await db.Secrets.Where(s => s.WorkspaceId == id).Select(s => s.Name).FirstOrDefaultAsync(cancel));
    }

    private static async Task<string?> OfSecretAsync(GatewayDb db, SecretRow secret, CancellationToken cancel)
    {
        var abilities = await db.Abilities.AsNoTracking().Where(a => a.WorkspaceId == secret.WorkspaceId)
            .Select(a => new { a.Name, a.Settings }).ToListAsync(cancel);
        return Says("ability", "uses it", abilities.Find(a => SecretNames.Of(a.Settings).Contains(secret.Name))?.Name);
    }

    private static string? Says(string kind, string what, string? name) => name is null ? null : $"{kind} {FileWords.Quote(name)} {what}";

    private static string Having(string member, string name) =>
        new JsonArray(new JsonObject { [member] = name }).ToJsonString(JsonSerializerOptions.Default);
}
