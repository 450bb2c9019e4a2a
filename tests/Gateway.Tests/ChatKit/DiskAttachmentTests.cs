using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.ChatKit;
using Gateway.ChatKit.Attachments;
using Gateway.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.ChatKit;

/// <summary>Files whose bytes are kept under the data directory (<c>Gateway__Attachments=disk</c>).</summary>
public sealed class DiskAttachmentTests(DiskAttachmentSetup setup, ChatKitContract contract) : IClassFixture<DiskAttachmentSetup>
{
    private const string WithFiles = """{"chatkit_configuration":{"file_upload":{"enabled":true,"max_files":20},"automatic_thread_titling":{"enabled":false}}}""";

    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_kept_on_the_disk_and_the_model_reads_it()
    {
        using var page = await OpenAsync();
        var text = Encoding.UTF8.GetBytes("The wall of the tower is painted mauve.");

        var id = await UploadAsync(page, "tower.txt", "text/plain", text);

        var file = Assert.Single(Files(), path => Path.GetFileName(path) == id);
        Assert.Equal(text, await File.ReadAllBytesAsync(file, Cancel));
        Assert.Equal(0, await CountAsync("chatkit_contents"));
        var asked = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Of what is the wall?", id) });
        Assert.DoesNotContain(await page.EventsAsync(asked.Text), e => ChatPage.Type(e) == "error");
        Assert.Contains("painted mauve", setup.LastPrompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_is_shown_from_the_disk_by_a_link_to_the_public_address()
    {
        using var page = await OpenAsync();
        var (thread, _) = await page.CreateAsync("say:Nice.", await UploadAsync(page, "dot.png", "image/png", Picture));

        var link = setup.AtTheGateway((string)(await page.ItemsAsync(thread))[0]["attachments"]![0]!["preview_url"]!);
        using var anyone = new HttpClient();

        Assert.Equal(Picture, await anyone.GetByteArrayAsync(link, Cancel));
    }

    [Fact]
    public async Task Of_two_uploads_at_once_one_is_kept_whole()
    {
        using var page = await OpenAsync();
        var made = await page.AskAsync("attachments.create", new JsonObject { ["name"] = "race.txt", ["size"] = 200_000, ["mime_type"] = "text/plain" });
        var contents = "abcdefgh".Select(letter => Encoding.UTF8.GetBytes(new string(letter, 200_000))).ToList();

        var statuses = await Task.WhenAll(contents.Select(content => PutAsync(made, content)));

        Assert.Single(statuses, status => status == HttpStatusCode.OK);
        Assert.All(statuses, status => Assert.Contains(status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.Conflict]));
        var kept = Assert.Single(Files(), path => Path.GetFileName(path).StartsWith((string)made["id"]!, StringComparison.Ordinal));
        Assert.Equal(contents[statuses.IndexOf(HttpStatusCode.OK)], await File.ReadAllBytesAsync(kept, Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thread_takes_its_files_from_the_disk_when_it_is_deleted(bool byTheUser)
    {
        using var page = await OpenAsync();
        var id = await UploadAsync(page, "gone.txt", "text/plain", "abc"u8.ToArray());
        var (thread, _) = await page.CreateAsync("say:Bye.", id);
        Assert.Contains(Files(), path => Path.GetFileName(path) == id);

        if (byTheUser)
        {
            await page.AskAsync("threads.delete", new JsonObject { ["thread_id"] = thread });
        }
        else
        {
            using var server = setup.Gateway.Client(setup.Key.Text);
            using var deleted = await server.DeleteAsync(new Uri($"/v1/chatkit/threads/{thread}", UriKind.Relative), Cancel);
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        }

        Assert.DoesNotContain(Files(), path => Path.GetFileName(path) == id);
        Assert.Equal(0, await CountAsync($"chatkit_attachments WHERE id = '{id}'"));
    }

    [Fact]
    public async Task A_file_that_the_user_takes_back_leaves_the_disk()
    {
        using var page = await OpenAsync();
        var id = await UploadAsync(page, "back.txt", "text/plain", "abc"u8.ToArray());

        await page.AskAsync("attachments.delete", new JsonObject { ["attachment_id"] = id });

        Assert.DoesNotContain(Files(), path => Path.GetFileName(path) == id);
    }

    [Fact]
    public async Task Files_that_no_message_named_for_a_day_leave_the_disk_and_others_stay()
    {
        using var page = await OpenAsync();
        var (old, young, sent) = (
            await UploadAsync(page, "old.txt", "text/plain", "abc"u8.ToArray()),
            await UploadAsync(page, "young.txt", "text/plain", "abc"u8.ToArray()),
            await UploadAsync(page, "sent.txt", "text/plain", "abc"u8.ToArray()));
        await page.CreateAsync("say:Hello.", sent);
        await using var source = NpgsqlDataSource.Create(setup.Database);
        await using (var age = source.CreateCommand("UPDATE chatkit_attachments SET created_at = now() - interval '25 hours' WHERE id = ANY($1)"))
        {
            age.Parameters.AddWithValue(new[] { old, sent });
            Assert.Equal(2, await age.ExecuteNonQueryAsync(Cancel));
        }

        var settings = new GatewaySettings { Attachments = "disk", DataDirectory = setup.Gateway.DataDirectory };
        using var cleanup = new ChatKitCleanup(
            source, new AttachmentBytes(source, settings), TimeProvider.System, NullLogger<ChatKitCleanup>.Instance);
        await cleanup.RunAsync(Cancel);

        var names = Files().Select(Path.GetFileName).ToList();
        Assert.DoesNotContain(old, names);
        Assert.Contains(young, names);
        Assert.Contains(sent, names);
        Assert.Equal(0, await CountAsync($"chatkit_attachments WHERE id = '{old}'"));
    }

    private Task<ChatPage> OpenAsync() => ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, session: WithFiles);

    private string[] Files() => Directory.GetFiles(Path.Combine(setup.Gateway.DataDirectory, "attachments"), "*", SearchOption.AllDirectories);

    private async Task<string> UploadAsync(ChatPage page, string name, string type, byte[] content)
    {
        var made = await page.AskAsync("attachments.create", new JsonObject { ["name"] = name, ["size"] = content.Length, ["mime_type"] = type });
        Assert.Equal(HttpStatusCode.OK, await PutAsync(made, content));
        return (string)made["id"]!;
    }

    private async Task<HttpStatusCode> PutAsync(JsonNode attachment, byte[] content)
    {
        using var anyone = new HttpClient();
        using var reply = await anyone.PutAsync(setup.AtTheGateway((string)attachment["upload_descriptor"]!["url"]!), new ByteArrayContent(content), Cancel);
        return reply.StatusCode;
    }

    private async Task<long> CountAsync(string of)
    {
        await using var source = NpgsqlDataSource.Create(setup.Database);
        await using var count = source.CreateCommand($"SELECT count(*) FROM {of}");
        return (long)(await count.ExecuteScalarAsync(Cancel))!;
    }
}
