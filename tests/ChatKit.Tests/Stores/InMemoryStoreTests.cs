using ChatKit.Tests.Support;

namespace ChatKit.Tests.Stores;

/// <summary>The store in memory: as it comes, and with ids of its own.</summary>
public sealed class InMemoryStoreTests()
    : StoreContract<Caller>(new InMemoryStore<Caller>(caller => caller.User), new Caller("ann"), new Caller("bob"))
{
    [Fact]
    public void T11_ids_may_be_the_stores_own()
    {
        var store = new NumberedStore();
        var (caller, thread) = (new Caller("ann"), new ChatThread { Id = "thr_0", CreatedAt = TestClock.Start });

        Assert.Equal(["thr_1", "thr_2"], [store.GenerateThreadId(caller), store.GenerateThreadId(caller)]);
        Assert.Equal("msg_1", store.GenerateItemId(ItemKind.Message, thread, caller));
        Assert.Equal("tc_1", store.GenerateItemId(ItemKind.ToolCall, thread, caller));
    }

    [Fact]
    public void Ids_have_96_bits_behind_their_prefix() => Assert.Matches("^thr_[0-9a-f]{24}$", ChatKitIds.NewThreadId());

    [Fact]
    public async Task Without_users_everything_is_everyones()
    {
        var store = new InMemoryStore<Caller>();
        await store.SaveThreadAsync(new ChatThread { Id = "thr_1", CreatedAt = TestClock.Start }, new Caller("ann"), Cancel);

        Assert.Equal("thr_1", (await store.LoadThreadAsync("thr_1", new Caller("bob"), Cancel)).Id);
    }
}
