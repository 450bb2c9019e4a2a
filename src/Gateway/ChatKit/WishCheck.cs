using System.Text.Json.Nodes;
using ChatKit;
using Gateway.Bots;
using Gateway.ChatKit.Turns;
using Gateway.Http;

namespace Gateway.ChatKit;

/// <summary>
/// Whether a new message may have what it wishes for (<c>inference_options</c>), before it is stored: in the stream it would be
/// an error that each retry meets again.
/// </summary>
internal static class WishCheck
{
    /// <summary>A tool that every bot has when a message asks for it.</summary>
    private const string WebSearch = "web_search";

    private const string Path = "params.input.inference_options";

    /// <returns>Why not; null: it may, or the request is no message.</returns>
    public static async Task<ApiError?> RefuseAsync(ChatKitRequest request, BotCatalog bots, ChatKitUser user, CancellationToken cancel)
    {
        var wish = request switch
        {
            ThreadsCreateRequest create => create.Params.Input.InferenceOptions,
            ThreadsAddUserMessageRequest add => add.Params.Input.InferenceOptions,
            _ => null,
        };
        if (wish is null or { Model: null, ToolChoice: null })
        {
            return null;
        }

        var (bot, error) = await BotChoice.FindAsync(bots, user, wish.Model, cancel);
        if (error is not null)
        {
            return error.Status < 500 ? error with { Param = $"{Path}.model" } : error;
        }

        return wish.ToolChoice is null or { Id: WebSearch } || HasTool(bot!, wish.ToolChoice.Id)
            ? null
            : ApiError.InvalidValue($"{Path}.tool_choice.id", "the bot has no such tool.");
    }

    private static bool HasTool(Bot bot, string id) =>
        JsonNode.Parse(bot.ClientTools)!.AsArray().Any(tool => (string?)tool!["function"]?["name"] == id);
}
