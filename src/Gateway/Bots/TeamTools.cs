namespace Gateway.Bots;

/// <summary>
/// The bots that a bot may ask. One that stands above it already is not offered, nor is any at the last level: a circle in a
/// configuration ends here.
/// </summary>
internal sealed class TeamTools(BotCatalog bots) : IToolSource
{
    public bool IsFor(TurnContext turn) => turn.Bot.Team.Count > 0;

    public ValueTask AddAsync(TurnContext turn, Toolset tools, CancellationToken cancel)
    {
        var level = turn.Above.Count + 1;
        if (level >= (turn.Scope?.Tree.Limits ?? turn.Bot.Turn).Depth)
        {
            return ValueTask.CompletedTask;
        }

        var hasAny = false;
        foreach (var member in turn.Bot.Team)
        {
            if (member.Bot == turn.Bot.Id || turn.Above.Contains(member.Bot) || bots.Find(turn.Caller, member.Bot) is not { } entry)
            {
                continue;
            }

            hasAny |= !member.IsHandoff;
            var what = member.Description.Length > 0 ? member.Description : entry.Description;
            tools.Add(new MemberTool(bots, member, member.IsHandoff
                ? $"Hands the conversation over to {entry.Name}, who then answers the user in your place. {what}"
                : $"Asks {entry.Name}, another assistant. {what}"));
        }

        if (hasAny)
        {
            tools.AddGuidance(
                "You work in a team. Another assistant that you ask sees your message to it and nothing else of this conversation, "
                + "so tell it all that it needs. The user does not see its answer: put what matters of it into your own.");
        }

        return ValueTask.CompletedTask;
    }
}
