namespace ChatKit;

/// <summary>
/// Waits for a thread. A user who stops a reply and writes on at once comes here before the old stream has saved what was
/// shown: that one is waited for.
/// </summary>
internal static class ThreadWait
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(400);

    /// <exception cref="RequestRefusedException">Another stream went on in the thread for all of the patience (409).</exception>
    public static async Task<IThreadLease> AcquireAsync<TContext>(
        ChatKitStore<TContext> store, string threadId, ChatKitServerOptions options, TContext context, CancellationToken cancel)
    {
        var began = options.Clock.GetTimestamp();
        for (var pause = Poll; ; pause = pause < LongestPoll ? pause * 2 : LongestPoll)
        {
            if (await store.TryAcquireThreadAsync(threadId, context, cancel) is { } lease)
            {
                return lease;
            }

            if (options.Clock.GetElapsedTime(began) >= options.BusyThreadPatience)
            {
                throw RequestRefusedException.ThreadBusy();
            }

            await Task.Delay(pause, options.Clock, cancel);
        }
    }
}
