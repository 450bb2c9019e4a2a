using ChatKit;
using ChatKit.Tests.Support;

namespace Gateway.Tests.ChatKit;

/// <summary>A page ends where it has become large, however many items it may have: what is left comes with the next.</summary>
public sealed class ThreadPageTests(ThreadStoreSetup setup) : IClassFixture<ThreadStoreSetup>
{
    private readonly StoreUser _user = new($"pages {Guid.NewGuid()}");
    private readonly ChatThread _thread = new() { Id = ChatKitIds.NewThreadId(), CreatedAt = TestClock.Start };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SortOrder.Asc)]
    [InlineData(SortOrder.Desc)]
    public async Task Large_items_come_in_more_pages_and_none_is_left_out(SortOrder order)
    {
        await AddAsync(9, 3_000_000);

        var pages = await ReadAsync(order);

        Assert.Equal([2, 2, 2, 2, 1], pages.Select(page => page.Data.Count));
        var expected = Enumerable.Range(1, 9).Select(number => $"msg_{number}");
        Assert.Equal(order == SortOrder.Asc ? expected : expected.Reverse(), pages.SelectMany(page => page.Data).Select(item => item.Id));
    }

    [Fact]
    public async Task An_item_that_is_larger_than_a_page_comes_alone()
    {
        await AddAsync(3, 9_000_000);

        Assert.Equal([1, 1, 1], (await ReadAsync(SortOrder.Asc)).Select(page => page.Data.Count));
    }

    private async Task AddAsync(int count, int characters)
    {
        var text = new string('x', characters);
        await setup.Store.SaveThreadAsync(_thread, setup.Of(_user), Cancel);
        for (var number = 1; number <= count; number++)
        {
            await setup.Store.AddThreadItemAsync(_thread.Id, Make.Reply(_thread, $"msg_{number}", text), setup.Of(_user), Cancel);
        }
    }

    private async Task<List<Page<ThreadItem>>> ReadAsync(SortOrder order)
    {
        var pages = new List<Page<ThreadItem>>();
        string? after = null;
        do
        {
            pages.Add(await setup.Store.LoadThreadItemsAsync(_thread.Id, after, 100, order, setup.Of(_user), Cancel));
            Assert.Equal(pages[^1].HasMore, pages[^1].After is not null);
            after = pages[^1].After;
        }
        while (after is not null);
        return pages;
    }
}
