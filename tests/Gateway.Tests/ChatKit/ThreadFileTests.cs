using ChatKit;

namespace Gateway.Tests.ChatKit;

/// <summary>Records of files: each is one thread's once a message has named it, and none comes back once it was deleted.</summary>
public sealed class ThreadFileTests(ThreadStoreSetup setup) : IClassFixture<ThreadStoreSetup>
{
    private readonly StoreUser _user = new($"files {Guid.NewGuid()}");
    private readonly FileAttachment _file = new() { Id = ChatKitIds.NewAttachmentId(), Name = "a.txt", MimeType = "text/plain" };
    private readonly string _thread = ChatKitIds.NewThreadId();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_that_is_deleted_while_a_message_names_it_stays_deleted()
    {
        await UploadAsync();
        var named = await setup.Store.LoadAttachmentAsync(_file.Id, setup.Of(_user), Cancel);
        await setup.Store.DeleteAttachmentAsync(_file.Id, setup.Of(_user), Cancel);

        await Assert.ThrowsAsync<NotFoundException>(() => NameAsync(named, _thread));

        await Assert.ThrowsAsync<NotFoundException>(() => setup.Store.LoadAttachmentAsync(_file.Id, setup.Of(_user), Cancel));
    }

    [Fact]
    public async Task A_file_stays_with_the_thread_that_named_it_first()
    {
        await UploadAsync();
        await NameAsync(_file, _thread);

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => NameAsync(_file, ChatKitIds.NewThreadId()));

        Assert.Equal((409, "attachment_in_use"), (refused.Status, refused.Code));
        Assert.Equal(_thread, (await setup.Store.LoadAttachmentAsync(_file.Id, setup.Of(_user), Cancel)).ThreadId);
        await NameAsync(_file, _thread);
    }

    [Fact]
    public async Task A_file_whose_bytes_have_not_come_is_no_thread_s()
    {
        await setup.Store.SaveAttachmentAsync(_file, setup.Of(_user), Cancel);

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => NameAsync(_file, _thread));

        Assert.Equal((409, "attachment_not_uploaded"), (refused.Status, refused.Code));
        Assert.Null((await setup.Store.LoadAttachmentAsync(_file.Id, setup.Of(_user), Cancel)).ThreadId);
    }

    [Fact]
    public async Task A_file_of_another_user_is_not_there()
    {
        await UploadAsync();
        var other = setup.Of(new StoreUser("another"));

        await Assert.ThrowsAsync<NotFoundException>(() => setup.Store.SaveAttachmentAsync(_file with { ThreadId = _thread }, other, Cancel));
        await Assert.ThrowsAnyAsync<Exception>(() => setup.Store.SaveAttachmentAsync(_file with { Name = "stolen.txt" }, other, Cancel));

        var kept = await setup.Store.LoadAttachmentAsync(_file.Id, setup.Of(_user), Cancel);
        Assert.Equal(("a.txt", null), (kept.Name, kept.ThreadId));
    }

    private Task NameAsync(Attachment file, string thread) => setup.Store.SaveAttachmentAsync(file with { ThreadId = thread }, setup.Of(_user), Cancel);

    private async Task UploadAsync()
    {
        await setup.Store.SaveAttachmentAsync(_file, setup.Of(_user), Cancel);
        await setup.AskAsync<object>("UPDATE chatkit_attachments SET is_uploaded = true WHERE id = $1", _file.Id);
    }
}
