using System.Text.Json.Nodes;

namespace Gateway.Tests.ChatKit;

/// <summary>A page with threads and files for mutated requests to name: they change and delete them, so each lasts for a while only.</summary>
internal sealed class MutatedStage : IDisposable
{
    /// <summary>One pixel.</summary>
    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private MutatedStage(ChatPage page, string path) => (Page, Path) = (page, path);

    public ChatPage Page { get; }

    /// <summary>Where its requests go.</summary>
    public string Path { get; }

    /// <summary>What the marks of a <see cref="MutatedChat"/> stand for.</summary>
    public Dictionary<string, string> Ids { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the bytes of an upload in two phases go.</summary>
    public Uri Link { get; private set; } = null!;

    /// <summary>In turn: a bot with tools of the page and titles, one without either, and a server that speaks with its key.</summary>
    public static async Task<MutatedStage> OpenAsync(ChatKitSetup setup, ChatKitContract contract, int number)
    {
        var isKey = number % 3 == 2;
        var titles = number % 3 == 0 ? "true" : "false";
        var session = $$"""
            { "rate_limits": { "max_requests_per_1_minute": 10000 }, "allowed_models": ["bot/id=sales", "bot/id=page"],
              "chatkit_configuration": { "automatic_thread_titling": { "enabled": {{titles}} }, "file_upload": { "enabled": true, "max_files": 1000 } } }
            """;
        var page = isKey
            ? ChatPage.OfServer(setup.Gateway, setup.Key.Text, "mutant", "page", contract)
            : await ChatPage.OpenAsync(
                setup.Gateway, setup.Key.Text, contract, "mutant", number % 3 == 0 ? "bot/id=page" : ChatKitSetup.Bot, session);
        var stage = new MutatedStage(page, isKey ? "/chatkit/page" : "/chatkit");
        await stage.FillAsync(isTwoPhased: number % 2 == 0 || isKey);
        return stage;
    }

    public void Dispose() => Page.Dispose();

    private async Task FillAsync(bool isTwoPhased)
    {
        var (thread, events) = await Page.CreateAsync("say:Hi.");
        var (pending, calls) = await Page.CreateAsync("""call:pick_color {"of":"the wall"}""");
        Ids["@thread@"] = thread;
        Ids["@pending@"] = pending;
        Ids["@question@"] = (string)events[1]["item"]!["id"]!;
        Ids["@reply@"] = (string)events.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!["id"]!;
        Ids["@call@"] = (string)calls.Last(e => ChatPage.Type(e) == "thread.item.done")["item"]!["id"]!;
        Ids["@file@"] = await (isTwoPhased ? PutAsync("a.txt", "text/plain", "hello"u8.ToArray()) : UploadAsync("hello"u8.ToArray()));
        Ids["@picture@"] = await PutAsync("a.png", "image/png", Picture);
        var open = await AnnounceAsync("b.txt", "text/plain", 3_000);
        Ids["@open@"] = (string)open["id"]!;
        Link = new Uri((string)open["upload_descriptor"]!["url"]!);
    }

    private Task<JsonNode> AnnounceAsync(string name, string type, int size) =>
        Page.AskAsync("attachments.create", new JsonObject { ["name"] = name, ["size"] = size, ["mime_type"] = type });

    private async Task<string> PutAsync(string name, string type, byte[] content)
    {
        var made = await AnnounceAsync(name, type, content.Length);
        using var put = await Page.Client.PutAsync(
            new Uri((string)made["upload_descriptor"]!["url"]!), new ByteArrayContent(content), TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)put.StatusCode);
        return (string)made["id"]!;
    }

    private async Task<string> UploadAsync(byte[] content)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(content), "file", "a.txt" } };
        using var reply = await Page.Client.PostAsync("/v1/chatkit/attachments", form, TestContext.Current.CancellationToken);
        var text = await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(reply.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["id"]!;
    }
}
