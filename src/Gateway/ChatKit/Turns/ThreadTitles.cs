using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Bots;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.ChatKit.Turns;

/// <summary>Has a bot's model name a conversation after its first exchange. Counted and recorded with the request.</summary>
internal sealed class ThreadTitles(BotTurn turns, TimeProvider clock, ILogger<ThreadTitles> log)
{
    private const int MostCharacters = 80;
    private const int MostTokens = 30;

    /// <summary>Of what the user said first, in characters.</summary>
    private const int MostRead = 2_000;

    /// <summary>The reply has been shown; only its stream's end waits for this.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>A title; null: none could be made, which is no reason for anything to fail.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<string?> MakeAsync(Bot bot, TurnRequest exchange, TurnUse use, CancellationToken cancel)
    {
        var namer = new Bot(
            bot.Id, bot.Name, bot.Description, bot.Model,
            "You name conversations. Answer with a title of two to six words in the language of the conversation, and nothing else: no quotes, no full stop.",
            [.. "{}"u8], [], bot.Version)
        { Limits = bot.Limits };
        if (!JsonBody.TryRead(Body(exchange), null, out var body, out _))
        {
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), limit, Longest, Timeout.InfiniteTimeSpan);
        var title = new StringBuilder();
        try
        {
            await foreach (var happened in turns.RunAsync(exchange with { Bot = namer, Body = body }, use.Metered, [], use.Facts, limit.Token))
            {
                if (happened is BotEvent.Text text)
                {
                    title.Append(text.Piece);
                }
                else if (happened is BotEvent.Failed failed)
                {
                    log.ChatKitTitleFailed(bot.Id, failed.Error.Code ?? failed.Error.Type, use.Facts.RequestId);
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            log.ChatKitTitleFailed(bot.Id, "timeout", use.Facts.RequestId);
            return null;
        }

        return Clean(title.ToString());
    }

    private static byte[] Body(TurnRequest exchange)
    {
        var said = exchange.Body.TryGet("messages"u8, out var member) ? Text(exchange.Body.Value(member)) : "";
        return JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["model"] = exchange.Selector,
            ["max_tokens"] = MostTokens,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"Name a conversation that begins so:\n\n{said}" }),
        });
    }

    /// <summary>What the user said first.</summary>
    private static string Text(ReadOnlyMemory<byte> messages)
    {
        using var json = JsonDocument.Parse(messages);
        foreach (var message in json.RootElement.EnumerateArray())
        {
            if (message.GetProperty("role").ValueEquals("user"))
            {
                var content = message.GetProperty("content");
                var text = content.ValueKind == JsonValueKind.String ? content.GetString()! : string.Join('\n', Texts(content));
                return text.Length > 0 ? DataText.Shorten(text, MostRead) : "(a file)";
            }
        }

        return "";
    }

    private static IEnumerable<string> Texts(JsonElement parts) =>
        parts.EnumerateArray().Where(part => part.GetProperty("type").ValueEquals("text")).Select(part => part.GetProperty("text").GetString()!);

    private static string? Clean(string title)
    {
        var line = title.Trim().Split('\n')[0].Trim(' ', '"', '\'', '*', '#', '.', '`');
        var clean = new string([.. line.Where(c => !char.IsControl(c))]);
        return clean.Length == 0 ? null : clean.Length <= MostCharacters ? clean : clean[..(char.IsHighSurrogate(clean[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters)] + "…";
    }
}
