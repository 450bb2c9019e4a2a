using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatKit;
using Gateway.Bots;
using Gateway.ChatKit.Attachments;
using Gateway.ChatKit.Threads;
using Gateway.Http;
using Gateway.Observability;
using Gateway.Selectors;

namespace Gateway.ChatKit.Turns;

/// <summary>A ChatKit server whose replies are turns of a bot.</summary>
internal sealed class BotServer(
    ThreadStore store, ThreadHistory history, AttachmentKeeper attachments, BotCatalog bots, BotTurn turns, AttachmentBytes bytes, ThreadTitles titles,
    TimeProvider clock, ILogger<BotServer> log)
    : ChatKitServer<ChatKitUser>(
        store, attachments, new ChatKitServerOptions { Clock = clock, DeleteAttachmentsWithThread = false, Logger = new LibraryLog(log) })
{
    public override async IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, ChatKitUser context, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (message is null && await NextCallAsync(thread, context, cancel) is { } waiting)
        {
            yield return new ThreadItemDoneEvent { Item = waiting };
            yield break;
        }

        if (message is not null)
        {
            PendingCalls.Clear(thread);
        }

        var (prepared, error) = await PrepareAsync(thread, message is not null, context, cancel);
        if (prepared is null)
        {
            yield return Failed(error!, context);
            yield break;
        }

        var bot = prepared.Bot;
        var items = new TurnItems(thread, bot.ExposeSteps, kind => Store.GenerateItemId(kind, thread, context), clock);
        var use = context.Use!;
        var request = new TurnRequest(bot, prepared.Body, context.Caller.Workspace, Selector.ForBot(context.BotId).Canonical);
        await foreach (var happened in turns.RunAsync(request, use.Metered, [], use.Facts, cancel))
        {
            foreach (var shown in items.Read(happened))
            {
                yield return shown;
            }

            if (happened is BotEvent.Failed failed)
            {
                foreach (var removed in items.TakeBack())
                {
                    yield return removed;
                }

                yield return Failed(failed.Error, context);
                yield break;
            }

            if (happened is BotEvent.Finished { Reason: "length" or "content_filter" } finished)
            {
                foreach (var ended in items.Finish())
                {
                    yield return ended;
                }

                yield return Cut(finished.Reason);
            }
        }

        foreach (var ended in items.Finish())
        {
            yield return ended;
        }

        if (items.Calls.Count > 0)
        {
            var id = Store.GenerateItemId(ItemKind.ToolCall, thread, context);
            yield return new ThreadItemDoneEvent { Item = PendingCalls.Begin(thread, items.Calls, id, prepared.CallIds, clock.GetUtcNow()) };
        }
        else if (thread.Title is null && items.HasAnswered && context.Session is null or { Options.Titles: true })
        {
            use.IsAnswered = true;
            var title = await titles.MakeAsync(bot, request, use, cancel);
            // The user may have named it in the meantime.
            thread.Title = (await Store.LoadThreadAsync(thread.Id, context, cancel)).Title ?? title;
        }
    }

    public override Task HandleStreamCancelledAsync(
        ChatThread thread, IReadOnlyList<ThreadItem> pendingItems, ChatKitUser context, CancellationToken cancel) =>
        // Where it is answered, only the title was still to come.
        context.Use is { IsAnswered: true } ? Task.CompletedTask : base.HandleStreamCancelledAsync(thread, pendingItems, context, cancel);

    /// <summary>Who is told to stop, and who is only cut off, are not the same to the model.</summary>
    protected override string CancelledNote(ChatKitUser context) => context.Use is { Facts.IsCut: true }
        ? "The reply to the last request was cut off by the server before it was complete."
        : base.CancelledNote(context);

    public override Task AddFeedbackAsync(
        string threadId, IReadOnlyList<string> itemIds, FeedbackKind kind, ChatKitUser context, CancellationToken cancel) =>
        store.AddFeedbackAsync(threadId, itemIds, kind == FeedbackKind.Positive ? "positive" : "negative", context, cancel);

    /// <summary>The next call that waits for the page; null: none does.</summary>
    private async Task<ClientToolCallItem?> NextCallAsync(ChatThread thread, ChatKitUser user, CancellationToken cancel)
    {
        while (PendingCalls.Next(thread, clock.GetUtcNow()) is { } call)
        {
            try
            {
                // A gateway that died when it had stored the call and not yet that it waits no more: it has been made.
                await Store.LoadItemAsync(thread.Id, call.Id, user, cancel);
            }
            catch (NotFoundException)
            {
                return call;
            }
        }

        return null;
    }

    private async Task<(Prepared? Turn, ApiError? Error)> PrepareAsync(
        ChatThread thread, bool isNew, ChatKitUser user, CancellationToken cancel)
    {
        var items = await history.ReadAsync(thread.Id, user, cancel);
        var wish = items.OfType<UserMessageItem>().LastOrDefault()?.InferenceOptions ?? new InferenceOptions();
        var (bot, error) = await BotChoice.FindAsync(bots, user, wish.Model, cancel);
        if (error is not null)
        {
            return (null, error);
        }

        var body = new JsonObject
        {
            ["model"] = Selector.ForBot(user.BotId).Canonical,
            ["messages"] = await new Conversation(bytes, user).ReadAsync(items, cancel),
        };
        // A tool that the user chose is called once: what comes of it is for the model to answer.
        error = AddTools(body, bot!, isNew ? wish.ToolChoice?.Id : null);
        if (error is not null)
        {
            return (null, error);
        }

        return JsonBody.TryRead(JsonSerializer.SerializeToUtf8Bytes(body), null, out var read, out error)
            ? (new Prepared(bot!, read, items.OfType<ClientToolCallItem>().Select(call => call.CallId).ToHashSet(StringComparer.Ordinal)), null)
            : (null, error);
    }

    /// <summary>The page's tools. A page runs one at a time, so the model is asked for one at a time.</summary>
    private static ApiError? AddTools(JsonObject body, Bot bot, string? wanted)
    {
        var tools = JsonNode.Parse(bot.ClientTools)!.AsArray();
        if (wanted == "web_search")
        {
            body["web_search_options"] = new JsonObject();
        }
        else if (wanted is not null)
        {
            if (!tools.Any(tool => (string?)tool!["function"]?["name"] == wanted))
            {
                return ApiError.InvalidValue("inference_options.tool_choice", "the bot has no such tool.");
            }

            body["tool_choice"] = new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = wanted } };
        }

        if (tools.Count > 0)
        {
            body["tools"] = tools;
            body["parallel_tool_calls"] = false;
        }

        return null;
    }

    private ErrorEvent Failed(ApiError error, ChatKitUser user)
    {
        var facts = user.Use!.Facts;
        facts.End ??= error.Code ?? error.Type;
        log.ChatKitTurnFailed(user.BotId, error.Code ?? error.Type, FailureWords.Detail(error), facts.RequestId);
        return FailureWords.Of(error, facts.RequestId);
    }

    private static NoticeEvent Cut(string reason) => new()
    {
        Level = NoticeLevel.Warning,
        Message = reason == "length" ? "The answer ends here: it was getting too long." : "The answer was stopped by the model's content filter.",
    };

    /// <param name="CallIds">Of the page's calls so far.</param>
    private sealed record Prepared(Bot Bot, JsonBody Body, HashSet<string> CallIds);
}
