using Gateway.Data;

namespace Gateway.Bots;

/// <summary>Limits of one turn. Depth, time and money hold for the whole tree of bots that ask bots; the root's count.</summary>
/// <param name="Steps">Most model calls of one bot.</param>
/// <param name="ToolCalls">Most calls of the bot's own tools.</param>
/// <param name="Depth">Most levels of bots: 1 is a bot that asks no other.</param>
/// <param name="Usd">Null: not limited.</param>
internal sealed record TurnLimits(int Steps, int ToolCalls, int Depth, TimeSpan Time, decimal? Usd)
{
    public static TurnLimits Default { get; } = new(8, 32, 3, TimeSpan.FromSeconds(120), null);

    public static TurnLimits From(TurnLimitColumns columns) => new(
        columns.Steps ?? Default.Steps, columns.ToolCalls ?? Default.ToolCalls, columns.Depth ?? Default.Depth,
        columns.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : Default.Time, columns.BudgetUsd);
}

/// <summary>A dataset as searches use it.</summary>
/// <param name="Language">A text search configuration of Postgres.</param>
/// <param name="EmbeddingModel">Null: it is searched by words alone.</param>
/// <param name="MatchInstruction">Empty: the gateway's own words; so with <paramref name="MismatchInstruction"/>.</param>
internal sealed record Dataset(
    Guid WorkspaceId, Guid Id, string Name, string Description, string Language, string? EmbeddingModel, int SearchMaxRecords,
    double SearchMinScore, int SearchMaxTokens, string MatchInstruction, string MismatchInstruction);

/// <param name="IsAlways">Searched with the last user message before the first step; else when the model asks.</param>
internal sealed record BotDataset(Dataset Dataset, bool IsAlways);

/// <param name="Parameters">A JSON Schema, UTF-8.</param>
/// <param name="Settings">A JSON object, UTF-8; see <see cref="AbilityRow.Settings"/>.</param>
internal sealed record Ability(Guid Id, string Name, string Description, AbilityKind Kind, byte[] Parameters, byte[] Settings);

internal sealed record Skillset(string Name, string Description, IReadOnlyList<Ability> Abilities);

/// <param name="Bot">The member's id, in the same workspace.</param>
/// <param name="Description">When to ask it, for the model.</param>
/// <param name="IsHandoff">Whether its answer becomes the turn's answer.</param>
internal sealed record TeamMember(string Bot, string Description, bool IsHandoff);
