using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.ChatKit;

/// <summary>Files that users give to bots: in two phases, and at once.</summary>
[Collection(ChatKitTestsShareOneGateway.Name)]
public sealed class AttachmentTests(ChatKitSetup setup, ChatKitContract contract)
{
    private const string WithFiles = """{"chatkit_configuration":{"file_upload":{"enabled":true,"max_files":20,"max_file_size":1},"automatic_thread_titling":{"enabled":false}}}""";

    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_goes_up_in_two_phases_and_the_model_reads_it()
    {
        using var page = await OpenAsync("bot/id=reader");
        var text = Encoding.UTF8.GetBytes("The wall of the tower is painted mauve.");

        var made = await CreateAsync(page, "tower.txt", text.Length, "text/plain");
        using var put = await PutAsync(made, text);
        var reply = await page.PostAsync(
            "threads.create", new JsonObject { ["input"] = ChatPage.Message("Of what is the wall of the tower painted?", (string)made["id"]!) });
        var events = await page.EventsAsync(reply.Text);
        var thread = (string)events[0]["thread"]!["id"]!;

        Assert.Equal(200, (int)put.StatusCode);
        await contract.AssertValidAsync("Attachment", await put.Content.ReadAsByteArrayAsync(Cancel), Cancel);
        Assert.Equal("PUT", (string)made["upload_descriptor"]!["method"]!);
        var shown = events[1]["item"]!["attachments"]![0]!;
        Assert.Equal(((string)made["id"]!, thread), ((string)shown["id"]!, (string)shown["thread_id"]!));
        Assert.Null(shown["metadata"]);
        Assert.Null(shown["upload_descriptor"]);
        Assert.Contains("The wall of the tower is painted mauve.", setup.LastPrompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_has_a_preview_by_a_signed_link()
    {
        using var page = await OpenAsync();
        var made = await CreateAsync(page, "dot.png", Picture.Length, "image/png");
        using var put = await PutAsync(made, Picture);
        Assert.Equal(200, (int)put.StatusCode);
        var (thread, _) = await page.CreateAsync("say:Nice.", (string)made["id"]!);

        var link = new Uri((string)(await page.ItemsAsync(thread))[0]["attachments"]![0]!["preview_url"]!);
        using var anyone = new HttpClient();
        using var shown = await anyone.GetAsync(link, Cancel);
        using var tampered = await anyone.GetAsync(link.AbsoluteUri.Replace("expires=1", "expires=2", StringComparison.Ordinal), Cancel);

        Assert.Equal((200, "image/png", "nosniff"), ((int)shown.StatusCode, shown.Content.Headers.ContentType!.MediaType, shown.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.Equal(Picture, await shown.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(404, (int)tampered.StatusCode);
    }

    [Fact]
    public async Task A_first_message_may_be_a_picture_alone()
    {
        using var page = await ChatPage.OpenAsync(
            setup.Gateway, setup.Key.Text, contract, session: """{"chatkit_configuration":{"file_upload":{"enabled":true}}}""");
        var made = await CreateAsync(page, "dot.png", Picture.Length, "image/png");
        using var put = await PutAsync(made, Picture);

        var (_, events) = await page.CreateAsync("", (string)made["id"]!);

        Assert.DoesNotContain(events, e => ChatPage.Type(e) == "error");
        Assert.NotEmpty((string)events[^1]["thread"]!["title"]!);
    }

    [Fact]
    public async Task A_file_goes_up_at_once()
    {
        using var page = await OpenAsync();

        using var reply = await UploadAsync(page, "dot.png", "image/png", Picture);
        var body = await reply.Content.ReadAsByteArrayAsync(Cancel);

        Assert.True(reply.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        await contract.AssertValidAsync("DirectUploadRes", body, Cancel);
        Assert.Equal("Seen.", ChatPage.TextOf((await page.CreateAsync("say:Seen.", (string)JsonNode.Parse(body)!["id"]!)).Events));
    }

    [Theory]
    [InlineData("program.exe", 10, "application/octet-stream", 400)]
    [InlineData("drawing.svg", 10, "image/svg+xml", 400)]
    [InlineData("", 10, "text/plain", 400)]
    [InlineData("empty.txt", 0, "text/plain", 400)]
    [InlineData("large.txt", 2_000_000, "text/plain", 413)]
    public async Task What_may_not_come_is_refused(string name, long size, string type, int status)
    {
        using var page = await OpenAsync();

        var reply = await page.PostAsync("attachments.create", new JsonObject { ["name"] = name, ["size"] = size, ["mime_type"] = type });

        Assert.True(reply.Status == status, reply.Text);
        Assert.NotEmpty((string)JsonNode.Parse(reply.Text)!["error"]!["message"]!);
    }

    [Fact]
    public async Task Bytes_are_no_more_and_nothing_else_than_was_said()
    {
        using var page = await OpenAsync();
        var small = await CreateAsync(page, "small.txt", 3, "text/plain");
        var picture = await CreateAsync(page, "dot.png", 100, "image/png");

        using var tooMany = await PutAsync(small, "four"u8.ToArray());
        using var noPicture = await PutAsync(picture, "<html>"u8.ToArray());
        using var fits = await PutAsync(small, "yes"u8.ToArray());
        using var again = await PutAsync(small, "no!"u8.ToArray());

        Assert.Equal((413, 400, 200, 409), ((int)tooMany.StatusCode, (int)noPicture.StatusCode, (int)fits.StatusCode, (int)again.StatusCode));
    }

    [Fact]
    public async Task A_message_cannot_name_what_is_not_there_or_not_the_user_s()
    {
        using var page = await OpenAsync();
        using var other = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, "thief", session: WithFiles);
        var promised = await CreateAsync(page, "later.txt", 3, "text/plain");
        var mine = await CreateAsync(page, "mine.txt", 3, "text/plain");
        using var put = await PutAsync(mine, "abc"u8.ToArray());

        var early = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Hi.", (string)promised["id"]!) });
        var stolen = await other.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Hi.", (string)mine["id"]!) });
        var deleted = await other.PostAsync("attachments.delete", new JsonObject { ["attachment_id"] = (string)mine["id"]! });

        Assert.Equal((409, 404, 404), (early.Status, stolen.Status, deleted.Status));
        Assert.Empty((await other.AskAsync("threads.list", []))["data"]!.AsArray());
        var twice = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("Hi.", (string)mine["id"]!, (string)mine["id"]!) });
        Assert.Equal(400, twice.Status);
    }

    [Fact]
    public async Task A_message_cannot_name_a_file_whose_bytes_are_only_coming()
    {
        using var page = await OpenAsync();
        var made = await CreateAsync(page, "coming.txt", 3, "text/plain");
        var message = new JsonObject { ["input"] = ChatPage.Message("say:Read.", (string)made["id"]!) };
        await using var source = NpgsqlDataSource.Create(setup.Database);
        await using var connection = await source.OpenConnectionAsync(Cancel);
        await using var holding = await connection.BeginTransactionAsync(Cancel);
        await using (var hold = new NpgsqlCommand("LOCK TABLE chatkit_contents IN SHARE MODE", connection))
        {
            await hold.ExecuteNonQueryAsync(Cancel);
        }

        var putting = PutAsync(made, "one"u8.ToArray());
        await using var waiting = source.CreateCommand("SELECT count(*) FROM pg_locks WHERE relation = 'chatkit_contents'::regclass AND NOT granted");
        while ((long)(await waiting.ExecuteScalarAsync(Cancel))! == 0)
        {
            await Task.Delay(20, Cancel);
        }

        var second = PutAsync(made, "two"u8.ToArray());
        var early = await page.PostAsync("threads.create", message);
        await holding.RollbackAsync(Cancel);
        using var put = await putting;
        using var other = await second;
        var late = await page.PostAsync("threads.create", message);

        Assert.Equal((409, 200, 409, 200), (early.Status, (int)put.StatusCode, (int)other.StatusCode, late.Status));
        await using var db = Db();
        var id = (string)made["id"]!;
        var kept = await db.ChatKitContents.SingleAsync(c => c.AttachmentId == id, Cancel);
        Assert.Equal("one"u8.ToArray(), kept.Content);
    }

    [Fact]
    public async Task A_thread_takes_its_files_along_when_it_is_deleted()
    {
        using var page = await OpenAsync();
        var made = await CreateAsync(page, "gone.txt", 3, "text/plain");
        using var put = await PutAsync(made, "abc"u8.ToArray());
        var id = (string)made["id"]!;
        var (thread, _) = await page.CreateAsync("say:Bye.", id);
        await using var db = Db();
        Assert.True(await db.ChatKitContents.AnyAsync(c => c.AttachmentId == id, Cancel));

        await page.AskAsync("threads.delete", new JsonObject { ["thread_id"] = thread });

        Assert.False(await db.ChatKitContents.AnyAsync(c => c.AttachmentId == id, Cancel));
        Assert.False(await db.ChatKitAttachments.AnyAsync(a => a.Id == id, Cancel));
    }

    [Fact]
    public async Task A_session_takes_files_only_where_it_says_so_and_no_more_than_it_says()
    {
        using var none = await ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract);
        using var one = await ChatPage.OpenAsync(
            setup.Gateway, setup.Key.Text, contract, session: """{"chatkit_configuration":{"file_upload":{"enabled":true,"max_files":1}}}""");
        var file = new JsonObject { ["name"] = "a.txt", ["size"] = 3, ["mime_type"] = "text/plain" };

        Assert.Equal(403, (await none.PostAsync("attachments.create", file)).Status);
        Assert.Equal(200, (await one.PostAsync("attachments.create", file)).Status);
        Assert.Equal(403, (await one.PostAsync("attachments.create", file)).Status);
    }

    [Fact]
    public async Task What_is_refused_is_none_of_a_session_s_files()
    {
        using var page = await ChatPage.OpenAsync(
            setup.Gateway, setup.Key.Text, contract, session: """{"chatkit_configuration":{"file_upload":{"enabled":true,"max_files":1}}}""");

        using var noPicture = await UploadAsync(page, "dot.png", "image/png", "<html>"u8.ToArray());
        using var unknown = await UploadAsync(page, "program.exe", "application/octet-stream", "MZ"u8.ToArray());
        using var picture = await UploadAsync(page, "dot.png", "image/png", Picture);
        using var second = await UploadAsync(page, "dot.png", "image/png", Picture);

        Assert.Equal((400, 400, 200, 403), ((int)noPicture.StatusCode, (int)unknown.StatusCode, (int)picture.StatusCode, (int)second.StatusCode));
    }

    [Fact]
    public async Task A_link_is_good_for_what_it_was_made_for_alone()
    {
        using var page = await OpenAsync();
        var made = await CreateAsync(page, "dot.png", Picture.Length, "image/png");
        var (upload, preview) = (new Uri((string)made["upload_descriptor"]!["url"]!), new Uri((string)made["preview_url"]!));
        using var anyone = new HttpClient();

        using var putByPreview = await anyone.PutAsync(preview, new ByteArrayContent(Picture), Cancel);
        using var put = await PutAsync(made, Picture);
        using var shownByUpload = await anyone.GetAsync(upload, Cancel);
        using var shown = await anyone.GetAsync(preview, Cancel);

        Assert.Equal((404, 200, 404, 200), ((int)putByPreview.StatusCode, (int)put.StatusCode, (int)shownByUpload.StatusCode, (int)shown.StatusCode));
    }

    [Fact]
    public async Task A_file_stays_with_the_thread_that_it_was_sent_in_first()
    {
        using var page = await OpenAsync();
        var made = await CreateAsync(page, "dot.png", Picture.Length, "image/png");
        using var put = await PutAsync(made, Picture);
        var id = (string)made["id"]!;
        var (first, _) = await page.CreateAsync("say:Nice.", id);
        var (second, _) = await page.CreateAsync("say:Hello.");

        var elsewhere = await page.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = second, ["input"] = ChatPage.Message("say:Again.", id) });
        var anew = await page.PostAsync("threads.create", new JsonObject { ["input"] = ChatPage.Message("say:Again.", id) });
        var again = await page.PostAsync("threads.add_user_message", new JsonObject { ["thread_id"] = first, ["input"] = ChatPage.Message("say:Again.", id) });
        Assert.Equal(2, (await page.ItemsAsync(second)).Count);
        await page.AskAsync("threads.delete", new JsonObject { ["thread_id"] = second });

        Assert.Equal((409, 409, 200), (elsewhere.Status, anew.Status, again.Status));
        Assert.Equal("attachment_in_use", (string)JsonNode.Parse(elsewhere.Text)!["error"]!["code"]!);
        using var anyone = new HttpClient();
        var link = new Uri((string)(await page.ItemsAsync(first))[0]["attachments"]![0]!["preview_url"]!);
        Assert.Equal(Picture, await anyone.GetByteArrayAsync(link, Cancel));
    }

    private Task<ChatPage> OpenAsync(string bot = ChatKitSetup.Bot) =>
        ChatPage.OpenAsync(setup.Gateway, setup.Key.Text, contract, bot: bot, session: WithFiles);

    private static async Task<HttpResponseMessage> UploadAsync(ChatPage page, string name, string type, byte[] content)
    {
        using var form = new MultipartFormDataContent();
        var part = new ByteArrayContent(content);
        part.Headers.ContentType = new MediaTypeHeaderValue(type);
        form.Add(part, "file", name);
        return await page.Client.PostAsync("/v1/chatkit/attachments", form, Cancel);
    }

    private static async Task<JsonNode> CreateAsync(ChatPage page, string name, long size, string type) =>
        await page.AskAsync("attachments.create", new JsonObject { ["name"] = name, ["size"] = size, ["mime_type"] = type });

    private static async Task<HttpResponseMessage> PutAsync(JsonNode attachment, byte[] content)
    {
        using var anyone = new HttpClient();
        return await anyone.PutAsync(new Uri((string)attachment["upload_descriptor"]!["url"]!), new ByteArrayContent(content), Cancel);
    }

    private GatewayDb Db() => new(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(setup.Database).Options);
}
