using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Threads that others change while a request changes them. The original saves what it read, whole.</summary>
public sealed class ThreadUpdateTests(ChatKitSchema schema) : ServerTest(schema)
{
    [Fact]
    public async Task Threads_that_are_there_are_saved_by_updates_alone()
    {
        var store = new UpdatingStore();
        Server = new ScriptedServer(store)
        {
            OnRespond = (thread, _, _) => Titling(thread),
            OnSyncAction = (_, _, thread) =>
            {
                thread.Metadata = new JsonObject { ["acted"] = true };
                return new SyncActionResult();
            },
        };

        await StreamAsync(Ask.Create());
        await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "By the user"));
        await AnswerAsync("ThreadsSyncCustomActionRes", Ask.Action("thr_1", null, sync: true));

        Assert.Equal((1, 3), (store.Saved, store.Updated));
        var stored = await store.LoadThreadAsync("thr_1", Ann, Cancel);
        Assert.Equal(("By the user", true), (stored.Title, (bool)stored.Metadata["acted"]!));
    }

    [Fact]
    public async Task A_reply_goes_on_with_the_name_that_the_user_gave_meanwhile()
    {
        var go = new TaskCompletionSource();
        Server.OnRespond = (thread, _, _) => Noting(thread, go.Task);
        await using var stream = ((StreamingResult)await ProcessAsync(Ask.Create())).GetAsyncEnumerator(Cancel);
        await NextAsync(stream, "progress_update");
        await AnswerAsync("ThreadsUpdateRes", Ask.Rename("thr_1", "By the user"));
        go.SetResult();

        var updated = await NextAsync(stream, "thread.updated");

        Assert.Equal("By the user", (string?)updated["thread"]!["title"]);
        var stored = await Server.Store.LoadThreadAsync("thr_1", Ann, Cancel);
        Assert.Equal(("By the user", "tc_1"), (stored.Title, (string?)stored.Metadata["waiting"]));

        static async IAsyncEnumerable<StreamEvent> Noting(ChatThread thread, Task go)
        {
            yield return new ProgressUpdateEvent { Text = "Thinking" };
            await go;
            thread.Metadata = new JsonObject { ["waiting"] = "tc_1" };
            yield return Make.Done(Make.Reply(thread, "msg_r", "Done."));
        }
    }

    [Fact]
    public async Task A_thread_that_is_deleted_while_it_is_renamed_stays_deleted()
    {
        var store = new UpdatingStore();
        Server = new ScriptedServer(store);
        await StreamAsync(Ask.Create());
        store.BeforeUpdate = () => store.DeleteThreadAsync("thr_1", Ann, Cancel);

        Assert.Equal(404, (await RefusalAsync(Ask.Rename("thr_1", "Late"))).Status);

        await Assert.ThrowsAsync<NotFoundException>(() => store.LoadThreadAsync("thr_1", Ann, Cancel));
    }

    private static async IAsyncEnumerable<StreamEvent> Titling(ChatThread thread)
    {
        await Task.Yield();
        thread.Title = "By the model";
        yield return Make.Done(Make.Reply(thread, "msg_r", "Done."));
    }

    private sealed class UpdatingStore : NumberedStore
    {
        public int Saved { get; private set; }

        public int Updated { get; private set; }

        public Func<Task> BeforeUpdate { get; set; } = () => Task.CompletedTask;

        public override Task SaveThreadAsync(ChatThread thread, Caller context, CancellationToken cancel)
        {
            Saved++;
            return base.SaveThreadAsync(thread, context, cancel);
        }

        public override async Task<ChatThread> UpdateThreadAsync(
            string threadId, Action<ChatThread> change, Caller context, CancellationToken cancel)
        {
            await BeforeUpdate();
            Updated++;
            return await base.UpdateThreadAsync(threadId, change, context, cancel);
        }
    }
}
