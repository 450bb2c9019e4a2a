using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Server;

/// <summary>Uploads in two phases, attachments of messages, and their end.</summary>
public sealed class AttachmentTests : ServerTest
{
    private readonly FakeAttachmentStore _files = new();

    public AttachmentTests(ChatKitSchema schema)
        : base(schema) => Server = NewServer(_files);

    [Fact]
    public async Task S24_a_file_gets_an_id_and_a_place_to_upload_to_and_its_metadata_stays_here()
    {
        var answer = await AnswerAsync("AttachmentsCreateRes", Ask.Upload("emma.pdf", "application/pdf"));

        AssertJson(
            """{"type":"file","id":"atc_1","name":"emma.pdf","mime_type":"application/pdf","upload_descriptor":{"url":"https://files.example/atc_1","method":"PUT","headers":{"X-Upload":"yes"}}}""",
            answer);
        AssertJson("""{"bucket":"secret-bucket"}""", _files.Created["atc_1"].Metadata);
        AssertJson("""{"bucket":"secret-bucket"}""", (await Store.LoadAttachmentAsync("atc_1", Ann, Cancel)).Metadata);
    }

    [Fact]
    public async Task S25_an_image_also_gets_a_preview()
    {
        var answer = await AnswerAsync("AttachmentsCreateRes", Ask.Upload("emma.png", "image/png"));

        Assert.Equal("image", (string?)answer["type"]);
        Assert.Equal("https://files.example/atc_1/preview", (string?)answer["preview_url"]);
        Assert.Equal("PUT", (string?)answer["upload_descriptor"]!["method"]);
    }

    [Fact]
    public async Task S26_metadata_of_attachments_is_in_no_event_and_no_list()
    {
        await UploadAsync();

        var transcript = await TranscriptAsync(Ask.Create("See this.", "atc_1"));
        var items = await AnswerAsync("ItemsListRes", Ask.Items("thr_1"));
        var thread = await AnswerAsync("ThreadsGetByIdRes", Ask.Thread("thr_1"));

        Assert.Equal("atc_1", (string?)items["data"]![0]!["attachments"]![0]!["id"]);
        Assert.All([transcript, items.ToJsonString(), thread.ToJsonString()], text => Assert.DoesNotContain("secret-bucket", text, StringComparison.Ordinal));
        Assert.NotNull(Assert.IsType<UserMessageItem>((await StoredAsync("thr_1"))[0]).Attachments[0].Metadata);
    }

    [Fact]
    public async Task S27_the_thread_of_an_attachment_is_stored_on_create()
    {
        await UploadAsync();

        await StreamAsync(Ask.Create("See this.", "atc_1"));

        Assert.Equal("thr_1", (await Store.LoadAttachmentAsync("atc_1", Ann, Cancel)).ThreadId);
        Assert.Equal("thr_1", Assert.IsType<UserMessageItem>((await StoredAsync("thr_1"))[0]).Attachments[0].ThreadId);
    }

    [Fact]
    public async Task S28_the_thread_of_an_attachment_is_stored_with_a_later_message()
    {
        await StreamAsync(Ask.Create());
        await UploadAsync();

        await StreamAsync(Ask.Add("thr_1", "See this.", "atc_1"));

        Assert.Equal("thr_1", (await Store.LoadAttachmentAsync("atc_1", Ann, Cancel)).ThreadId);
    }

    /// <summary>The reference fails with an exception that becomes a 500; ours is a 501 which says why.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S29_without_an_attachment_store_attachments_are_refused(bool create)
    {
        Server = NewServer();

        var refusal = await RefusalAsync(create ? Ask.Upload("emma.pdf", "application/pdf") : Ask.DeleteAttachment("atc_1"));

        Assert.Equal((501, "not_supported"), (refusal.Status, refusal.Code));
    }

    [Fact]
    public async Task S30_deleting_an_attachment_deletes_bytes_and_record()
    {
        await UploadAsync();

        AssertJson("{}", await AnswerAsync("AttachmentsDeleteRes", Ask.DeleteAttachment("atc_1")));

        Assert.Equal(["atc_1"], _files.Deleted);
        await Assert.ThrowsAsync<NotFoundException>(() => Store.LoadAttachmentAsync("atc_1", Ann, Cancel));
    }

    [Fact]
    public async Task Attachments_of_another_user_can_be_neither_sent_nor_deleted()
    {
        await UploadAsync();

        Assert.Equal(404, (await RefusalAsync(Ask.Create("Mine?", "atc_1"), Bob)).Status);
        Assert.Equal(404, (await RefusalAsync(Ask.DeleteAttachment("atc_1"), Bob)).Status);

        Assert.Empty(_files.Deleted);
        Assert.Empty((await Store.LoadThreadsAsync(5, null, SortOrder.Desc, Bob, Cancel)).Data);
    }

    [Fact]
    public async Task Deleting_a_thread_deletes_the_attachments_that_are_still_its_own()
    {
        await UploadAsync();
        await UploadAsync();
        await StreamAsync(Ask.Create("See these.", "atc_1", "atc_2"));
        await StreamAsync(Ask.Create("And here.", "atc_2"));

        await AnswerAsync("ThreadsDeleteRes", Ask.Delete("thr_1"));

        Assert.Equal(["atc_1"], _files.Deleted);
        await Assert.ThrowsAsync<NotFoundException>(() => Store.LoadAttachmentAsync("atc_1", Ann, Cancel));
        Assert.Equal("thr_2", (await Store.LoadAttachmentAsync("atc_2", Ann, Cancel)).ThreadId);
    }

    [Fact]
    public async Task Deleting_a_thread_leaves_attachments_alone_where_that_is_asked_for()
    {
        Server = NewServer(_files, options => options with { DeleteAttachmentsWithThread = false });
        await UploadAsync();
        await StreamAsync(Ask.Create("See this.", "atc_1"));

        await AnswerAsync("ThreadsDeleteRes", Ask.Delete("thr_1"));

        Assert.Empty(_files.Deleted);
        await Store.LoadAttachmentAsync("atc_1", Ann, Cancel);
    }

    private Task<JsonObject> UploadAsync() => AnswerAsync("AttachmentsCreateRes", Ask.Upload("emma.pdf", "application/pdf"));
}
