using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin.Api;

/// <summary>Workspaces and what they own as the API shows them: every field, defaults too.</summary>
internal static class ShownWorkspace
{
    public static JsonObject Of(WorkspaceRow row) => new()
    {
        ["object"] = "workspace",
        ["id"] = row.Id.ToString(),
        ["name"] = row.Name,
        ["limits"] = Shown.Limits(row.Limits),
        ["created_at"] = Shown.Seconds(row.CreatedAt),
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Of(SecretRow row, Surroundings around) => new()
    {
        ["object"] = "secret",
        ["workspace"] = around.Workspace,
        ["name"] = row.Name,
        ["has_value"] = true,
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Of(DatasetRow row, Surroundings around) => new()
    {
        ["object"] = "dataset",
        ["workspace"] = around.Workspace,
        ["name"] = row.Name,
        ["description"] = Shown.Text(row.Description),
        ["enabled"] = row.IsEnabled,
        ["language"] = row.Language,
        ["embedding_model"] = row.EmbeddingModel,
        ["chunk_tokens"] = row.ChunkTokens,
        ["overlap_tokens"] = row.OverlapTokens,
        ["search_max_records"] = row.SearchMaxRecords,
        ["search_min_score"] = row.SearchMinScore,
        ["search_max_tokens"] = row.SearchMaxTokens,
        ["match_instruction"] = row.MatchInstruction,
        ["mismatch_instruction"] = row.MismatchInstruction,
        ["created_at"] = Shown.Seconds(row.CreatedAt),
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Of(SkillsetRow row, Surroundings around) => new()
    {
        ["object"] = "skillset",
        ["workspace"] = around.Workspace,
        ["name"] = row.Name,
        ["description"] = Shown.Text(row.Description),
        ["enabled"] = row.IsEnabled,
        ["abilities"] = new JsonArray([.. row.Abilities.OrderBy(a => a.Position).Select(a => Of(a, row, around))]),
        ["created_at"] = Shown.Seconds(row.CreatedAt),
        ["managed"] = Shown.Managed(row.Managed),
    };

    public static JsonObject Of(AbilityRow row, SkillsetRow owner, Surroundings around) => new()
    {
        ["object"] = "ability",
        ["id"] = row.Id.ToString(),
        ["workspace"] = around.Workspace,
        ["skillset"] = owner.Name,
        ["name"] = row.Name,
        ["description"] = Shown.Text(row.Description),
        ["parameters"] = row.Kind == AbilityKind.Mcp ? null : JsonNode.Parse(row.Parameters),
        ["http"] = row.Kind == AbilityKind.Http ? Settings(row) : null,
        ["mcp"] = row.Kind == AbilityKind.Mcp ? Settings(row) : null,
        ["managed"] = Shown.Managed(owner.Managed),
    };

    public static JsonObject Of(BotRow row, Surroundings around)
    {
        var limits = Shown.Limits(row.Limits);
        limits["steps"] = row.Turn.Steps;
        limits["tool_calls"] = row.Turn.ToolCalls;
        limits["depth"] = row.Turn.Depth;
        limits["seconds"] = row.Turn.Seconds;
        limits["turn_budget"] = row.Turn.BudgetUsd is { } usd ? FileBudget.FormatMoney(usd) : null;
        return new JsonObject
        {
            ["object"] = "bot",
            ["workspace"] = around.Workspace,
            ["id"] = row.Id,
            ["name"] = row.Name,
            ["description"] = Shown.Text(row.Description),
            ["model"] = row.Model,
            ["backstory"] = Shown.Text(row.Backstory),
            ["parameters"] = JsonNode.Parse(row.Parameters),
            ["locked_parameters"] = Shown.Texts(row.LockedParameters),
            ["datasets"] = JsonNode.Parse(row.Datasets),
            ["skillsets"] = Shown.Texts(row.Skillsets),
            ["web_search"] = row.WebSearch,
            ["client_tools"] = JsonNode.Parse(row.ClientTools),
            ["team"] = Team(row),
            ["limits"] = limits,
            ["expose_steps"] = row.ExposeSteps,
            ["created_at"] = Shown.Seconds(row.CreatedAt),
            ["managed"] = Shown.Managed(row.Managed),
        };
    }

    private static JsonArray Team(BotRow row)
    {
        var team = JsonNode.Parse(row.Team)!.AsArray();
        foreach (var member in team)
        {
            member!["description"] = Shown.Text(member["description"]!.GetValue<string>());
        }

        return team;
    }

    /// <summary>As stored, in the API's names, a timeout in its unit.</summary>
    private static JsonObject Settings(AbilityRow row)
    {
        var shown = new JsonObject();
        foreach (var (name, value) in JsonNode.Parse(row.Settings)!.AsObject())
        {
            shown[ApiShape.Snake(name)] = name == "timeout" ? Shown.Time(value!.GetValue<int>()) : value?.DeepClone();
        }

        return shown;
    }
}
