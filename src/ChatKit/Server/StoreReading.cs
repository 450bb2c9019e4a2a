using System.Runtime.CompilerServices;

namespace ChatKit;

/// <summary>What is read from a store in more than one step.</summary>
internal static class StoreReading
{
    private const int PageSize = 100;

    public static async IAsyncEnumerable<ThreadItem> AllItemsAsync<TContext>(
        ChatKitStore<TContext> store, string threadId, SortOrder order, TContext context, [EnumeratorCancellation] CancellationToken cancel,
        int pageSize = PageSize)
    {
        string? after = null;
        do
        {
            var page = await store.LoadThreadItemsAsync(threadId, after, pageSize, order, context, cancel);
            foreach (var item in page.Data)
            {
                yield return item;
            }

            after = page.HasMore ? page.After : null;
        }
        while (after is not null);
    }

    /// <summary>The widget that an action names, null when it names none; and false when it names something else.</summary>
    public static async Task<(WidgetItem? Sender, bool IsWidget)> SenderAsync<TContext>(
        ChatKitStore<TContext> store, CustomActionParams parameters, TContext context, CancellationToken cancel)
    {
        if (parameters.ItemId is null)
        {
            return (null, true);
        }

        var item = await store.LoadItemAsync(parameters.ThreadId, parameters.ItemId, context, cancel);
        return (item as WidgetItem, item is WidgetItem);
    }

    /// <exception cref="RequestRefusedException">The thread is locked or closed, and such threads are refused (409).</exception>
    public static void RefuseInactive(ChatThread thread, ChatKitServerOptions options)
    {
        if (options.RefuseInactiveThreads && thread.Status is not ActiveStatus)
        {
            throw thread.Status is ClosedStatus ? RequestRefusedException.ThreadClosed() : RequestRefusedException.ThreadLocked();
        }
    }
}
