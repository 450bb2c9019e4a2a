namespace ChatKit;

/// <summary>
/// Waits for a thread. A user who stops a reply and writes on at once comes here before the old stream has saved what was
/// shown: that one is waited for.
/// </summary>
internal static class ThreadWait
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <exception cref="RequestRefusedException">Another stream went on in the thread for all of the patience (409).</exception>
    public static async Task<IThreadLease> AcquireAsync<TContext>(
        ChatKitStore<TContext> store, string threadId, ChatKitServerOptions options, TContext context, CancellationToken cancel)
    {
        for (var waited = TimeSpan.Zero; ; waited += Poll)
        {
            if (await store.TryAcquireThreadAsync(threadId, context, cancel) is { } lease)
            {
                return lease;
            }

            if (waited >= options.BusyThreadPatience)
            {
                throw RequestRefusedException.ThreadBusy();
            }

            await Task.Delay(Poll, options.Clock, cancel);
        }
    }
}
