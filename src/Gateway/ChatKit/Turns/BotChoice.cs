using Gateway.Bots;
using Gateway.Http;
using Gateway.Selectors;

namespace Gateway.ChatKit.Turns;

/// <summary>Which bot answers, and with which model.</summary>
internal static class BotChoice
{
    /// <param name="wish">The message's <c>inference_options.model</c>: another model for the bot, or another bot; null: neither.</param>
    public static async Task<(Bot? Bot, ApiError? Error)> FindAsync(BotCatalog bots, ChatKitUser user, string? wish, CancellationToken cancel)
    {
        var id = user.BotId;
        Selector? chosen = null;
        if (wish is not null)
        {
            chosen = Selector.Parse(wish);
            if (chosen is null)
            {
                return (null, ApiError.InvalidSelector(wish));
            }

            if (!MayChoose(user, chosen))
            {
                return (null, ApiError.UnknownModel(wish));
            }

            id = (chosen as Selector.Bot)?.Id ?? id;
        }

        var (bot, error) = await bots.GetAsync(user.Caller, id, cancel);
        error ??= bot is null ? ApiError.UnknownModel(wish ?? Selector.ForBot(id).Canonical) : null;
        return error is not null ? (null, error) : (chosen is Selector.Model model ? bot! with { Model = model.Name } : bot, null);
    }

    /// <summary>A session says what its page may choose; a server with a key may choose what the key may use.</summary>
    private static bool MayChoose(ChatKitUser user, Selector chosen) =>
        user.Caller.MayUse(chosen)
        && (user.Session is null || user.Session.Options.AllowedModels.Any(chosen.IsCoveredBy)
            || (chosen is Selector.Bot bot && bot.Id == user.BotId));
}
