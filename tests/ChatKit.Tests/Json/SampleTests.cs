using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Json;

/// <summary>The schema's own samples through ajv, and through our records.</summary>
public sealed class SampleTests(ChatKitSchema schema)
{
    /// <summary>Which record reads which definition.</summary>
    private static readonly Dictionary<string, Func<byte[], object>> Readers = new()
    {
        ["Request"] = json => ChatKitRequest.Parse(json),
        ["StreamEvent"] = json => ChatKitJson.FromStore<StreamEvent>(json),
        ["ThreadItem"] = json => ChatKitJson.FromStore<ThreadItem>(json),
        ["StoredThreadItem"] = json => ChatKitJson.FromStore<ThreadItem>(json),
        ["AttachmentsCreateRes"] = json => ChatKitJson.FromStore<Attachment>(json),
        ["ThreadsListRes"] = json => ChatKitJson.FromStore<Page<ThreadView>>(json),
        ["ItemsListRes"] = json => ChatKitJson.FromStore<Page<ThreadItem>>(json),
        ["ItemsFeedbackRes"] = json => ChatKitJson.FromStore<EmptyResponse>(json),
        ["ThreadsDeleteRes"] = json => ChatKitJson.FromStore<EmptyResponse>(json),
        ["InputTranscribeRes"] = json => ChatKitJson.FromStore<TranscriptionResult>(json),
        ["ThreadsSyncCustomActionRes"] = json => ChatKitJson.FromStore<SyncActionResult>(json),
        ["WidgetRoot"] = json => ChatKitJson.FromStore<WidgetRoot>(json),
        ["DynamicWidgetRoot"] = json => ChatKitJson.FromStore<WidgetRoot>(json),
        ["WidgetComponent"] = json => ChatKitJson.FromStore<WidgetComponent>(json),
    };

    /// <summary>What a request may leave out and is written with its default.</summary>
    private static readonly Dictionary<string, JsonNode> RequestDefaults = new()
    {
        ["threads.list"] = new JsonObject { ["order"] = "desc" },
        ["items.list"] = new JsonObject { ["order"] = "desc" },
        ["threads.add_structured_input"] = JsonNode.Parse("""{"input":{"status":"answered","answers":{"q":{"skipped":false}}}}""")!,
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<int, string, string> Valid => Samples.Valid;

    public static TheoryData<int, string, string> Invalid => Samples.Invalid;

    [Fact]
    public void All_samples_are_there()
    {
        Assert.Equal(57, Valid.Count);
        Assert.Equal(34, Invalid.Count);
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public async Task A_sample_marked_valid_follows_the_schema(int number, string definition, string message) =>
        Assert.True(
            await schema.ValidateAsync(definition, Encoding.UTF8.GetBytes(message), Cancel) is [],
            $"Sample {number} should follow {definition}: {message}");

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task A_sample_marked_invalid_does_not_follow_the_schema(int number, string definition, string message) =>
        Assert.True(
            await schema.ValidateAsync(definition, Encoding.UTF8.GetBytes(message), Cancel) is not [],
            $"Sample {number} should not follow {definition}: {message}");

    [Theory]
    [MemberData(nameof(Valid))]
    public async Task A_valid_sample_is_read_and_written_as_an_equal_document(int number, string definition, string message)
    {
        var read = Readers[definition](Encoding.UTF8.GetBytes(message));

        var written = ChatKitJson.ToStore(read);

        Assert.True(
            JsonNode.DeepEquals(Normal(definition, JsonNode.Parse(message)!), JsonNode.Parse(written)),
            $"Sample {number}, {definition}:\n{message}\nwas written as\n{Encoding.UTF8.GetString(written)}");
        await schema.AssertValidAsync(definition, written, Cancel);
    }

    /// <summary>
    /// What may differ between a document and what we write of it: nulls are dropped, a request gets its defaults, unknown
    /// members of a request are dropped. All other definitions are what a server sends: there only nulls of widgets go.
    /// </summary>
    private static JsonNode Normal(string definition, JsonNode message)
    {
        if (definition == "Request")
        {
            message["metadata"] ??= new JsonObject();
            (message["params"] as JsonObject)?.Remove("extra");
            if (RequestDefaults.TryGetValue((string)message["type"]!, out var defaults))
            {
                AddMissing(message["params"]!.AsObject(), defaults.AsObject());
            }
        }

        var keepsNulls = (string?)message["type"] is "client_effect" or "threads.add_client_tool_output";
        return keepsNulls ? message : DynamicWidget.WithoutNulls(message)!;
    }

    private static void AddMissing(JsonObject target, JsonObject defaults)
    {
        foreach (var (name, value) in defaults)
        {
            if (target[name] is JsonObject inner)
            {
                AddMissing(inner, value!.AsObject());
            }
            else
            {
                target[name] ??= value!.DeepClone();
            }
        }
    }
}
