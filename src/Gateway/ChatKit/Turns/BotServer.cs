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
    ThreadStore store, AttachmentKeeper attachments, BotCatalog bots, BotTurn turns, AttachmentBytes bytes, ThreadTitles titles,
    TimeProvider clock, ILogger<BotServer> log)
    : ChatKitServer<ChatKitUser>(
        store, attachments, new ChatKitServerOptions { Clock = clock, DeleteAttachmentsWithThread = false, Logger = new LibraryLog(log) })
{
    /// <summary>Of a thread, the newest ones: beyond that a model would not get them anyway.</summary>
    private const int MostItems = 400;

    public override async IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, ChatKitUser context, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (message is null && PendingCalls.Next(thread, clock.GetUtcNow()) is { } waiting)
        {
            yield return new ThreadItemDoneEvent { Item = waiting };
            yield break;
        }

        if (message is not null)
        {
            PendingCalls.Clear(thread);
        }

        var (bot, body, error) = await PrepareAsync(thread, message is not null, context, cancel);
        if (error is not null)
        {
            yield return Failed(error, context);
            yield break;
        }

        var items = new TurnItems(thread, bot!.ExposeSteps, kind => Store.GenerateItemId(kind, thread, context), clock);
        var use = context.Use!;
        var request = new TurnRequest(bot, body!, context.Caller.Workspace, Selector.ForBot(context.BotId).Canonical);
        await foreach (var happened in turns.RunAsync(request, use.Metered, [], use.Facts, cancel))
        {
            foreach (var shown in items.Read(happened))
            {
                yield return shown;
            }

            if (happened is BotEvent.Failed failed)
            {
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
            yield return new ThreadItemDoneEvent { Item = PendingCalls.Begin(thread, items.Calls, id, clock.GetUtcNow()) };
        }
        else if (thread.Title is null && items.HasAnswered && context.Session is null or { Options.Titles: true })
        {
            use.IsAnswered = true;
            var title = await titles.MakeAsync(bot, request, use, cancel);
            // The user may have named it in the meantime.
            thread.Title = (await Store.LoadThreadAsync(thread.Id, context, cancel)).Title ?? title;
        }
    }

    /// <summary>What was shown is kept. Who is told to stop, and who is only cut off, are not the same to the model.</summary>
    public override async Task HandleStreamCancelledAsync(
        ChatThread thread, IReadOnlyList<ThreadItem> pendingItems, ChatKitUser context, CancellationToken cancel)
    {
        if (context.Use is { IsAnswered: true })
        {
            // Only the title was still to come.
            return;
        }

        if (context.Use is not { Facts.IsCut: true })
        {
            await base.HandleStreamCancelledAsync(thread, pendingItems, context, cancel);
            return;
        }

        foreach (var message in pendingItems.OfType<AssistantMessageItem>().Where(m => m.Content.Any(part => !string.IsNullOrWhiteSpace(part.Text))))
        {
            await Store.AddThreadItemAsync(thread.Id, message, context, cancel);
        }

        var note = new SdkHiddenContextItem
        {
            Id = Store.GenerateItemId(ItemKind.SdkHiddenContext, thread, context),
            ThreadId = thread.Id,
            CreatedAt = clock.GetUtcNow(),
            Content = "The reply to the last request was cut off by the server before it was complete.",
        };
        await Store.AddThreadItemAsync(thread.Id, note, context, cancel);
    }

    public override Task AddFeedbackAsync(
        string threadId, IReadOnlyList<string> itemIds, FeedbackKind kind, ChatKitUser context, CancellationToken cancel) =>
        store.AddFeedbackAsync(threadId, itemIds, kind == FeedbackKind.Positive ? "positive" : "negative", context, cancel);

    private async Task<(Bot? Bot, JsonBody? Body, ApiError? Error)> PrepareAsync(
        ChatThread thread, bool isNew, ChatKitUser user, CancellationToken cancel)
    {
        var items = new List<ThreadItem>();
        await foreach (var item in LoadAllItemsAsync(thread.Id, SortOrder.Desc, user, cancel))
        {
            items.Add(item);
            if (items.Count == MostItems)
            {
                break;
            }
        }

        items.Reverse();
        var wish = items.OfType<UserMessageItem>().LastOrDefault()?.InferenceOptions ?? new InferenceOptions();
        var (bot, error) = await BotChoice.FindAsync(bots, user, wish.Model, cancel);
        if (error is not null)
        {
            return (null, null, error);
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
            return (null, null, error);
        }

        return JsonBody.TryRead(JsonSerializer.SerializeToUtf8Bytes(body), null, out var read, out error) ? (bot, read, null) : (null, null, error);
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
        log.ChatKitTurnFailed(user.BotId, error.Code ?? error.Type, facts.RequestId);
        return new ErrorEvent { Message = error.Message, AllowRetry = error.Status is 429 or >= 500 && !error.IsFinal };
    }

    private static NoticeEvent Cut(string reason) => new()
    {
        Level = NoticeLevel.Warning,
        Message = reason == "length" ? "The answer ends here: it had no more time or tokens." : "The answer was stopped by the model's content filter.",
    };
}
