using System.Text;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Stores;

public sealed class DiskAttachmentStoreTests : IDisposable
{
    private static readonly Caller Ann = new("ann");
    private static readonly Caller Bob = new("bob");

    private readonly string _folder = Directory.CreateTempSubdirectory("chatkit-").FullName;
    private readonly DiskAttachmentStore<Caller> _store;

    public DiskAttachmentStoreTests() => _store = new DiskAttachmentStore<Caller>(
        Path.Combine(_folder, "files"), id => new Uri($"https://files.example/{Uri.EscapeDataString(id)}"), caller => caller.User, maxBytes: 10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_come_back_and_are_their_users_alone()
    {
        Assert.Equal(5, await WriteAsync("atc_1", "hello"));
        Assert.Equal(3, await WriteAsync("atc_1", "new"));

        Assert.Equal("new", await ReadAsync("atc_1"));
        Assert.Throws<NotFoundException>(() => _store.OpenRead("atc_1", Bob));
        await _store.DeleteAttachmentAsync("atc_1", Bob, Cancel);
        Assert.Equal("new", await ReadAsync("atc_1"));
        await _store.DeleteAttachmentAsync("atc_1", Ann, Cancel);
        await _store.DeleteAttachmentAsync("atc_1", Ann, Cancel);
        Assert.Throws<NotFoundException>(() => _store.OpenRead("atc_1", Ann));
    }

    [Theory]
    [InlineData("../../escaped")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a/b\\c\0d")]
    [InlineData("name-longer-than-any-file-system-takes-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public async Task An_id_is_never_a_path(string id)
    {
        await WriteAsync(id, "x");

        Assert.Equal("x", await ReadAsync(id));
        var file = Assert.Single(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
        Assert.Matches("^files/[0-9a-f]{64}/[0-9a-f]{64}$", Path.GetRelativePath(_folder, file));
    }

    [Fact]
    public async Task Too_many_bytes_are_refused_and_leave_what_was_there()
    {
        await WriteAsync("atc_1", "before");

        var written = await Assert.ThrowsAsync<RequestRefusedException>(() => WriteAsync("atc_1", "more than ten"));
        var announced = await Assert.ThrowsAsync<RequestRefusedException>(() => CreateAsync("a.pdf", "application/pdf", 11));

        Assert.Equal((413, 413), (written.Status, announced.Status));
        Assert.Equal("before", await ReadAsync("atc_1"));
        Assert.Single(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
        await Assert.ThrowsAsync<InvalidRequestException>(() => CreateAsync("a.pdf", "application/pdf", -1));
    }

    [Fact]
    public async Task A_record_says_where_to_upload()
    {
        var file = Assert.IsType<FileAttachment>(await CreateAsync("a.pdf", "application/pdf", 10));
        var image = Assert.IsType<ImageAttachment>(await CreateAsync("a.png", "image/png", 10));

        Assert.Equal($"https://files.example/{file.Id}", file.UploadDescriptor!.Url);
        Assert.Equal(UploadMethod.Put, file.UploadDescriptor.Method);
        Assert.Equal($"https://files.example/{image.Id}", image.PreviewUrl);
    }

    [Fact]
    public async Task Without_a_place_to_upload_to_only_direct_uploads_are_supported()
    {
        var direct = new DiskAttachmentStore<Caller>(_folder);

        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() =>
            direct.CreateAttachmentAsync(new() { Name = "a.pdf", MimeType = "application/pdf", Size = 1 }, Ann, Cancel));

        Assert.Equal(501, refusal.Status);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<Attachment> CreateAsync(string name, string mimeType, long size) =>
        _store.CreateAttachmentAsync(new() { Name = name, MimeType = mimeType, Size = size }, Ann, Cancel);

    private async Task<long> WriteAsync(string id, string text)
    {
        using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await _store.WriteAsync(id, bytes, Ann, Cancel);
    }

    private async Task<string> ReadAsync(string id)
    {
        using var reader = new StreamReader(_store.OpenRead(id, Ann));
        return await reader.ReadToEndAsync(Cancel);
    }
}
