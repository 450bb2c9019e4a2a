using System.Text;
using System.Text.Json.Nodes;
using ChatKit.Tests.Support;

namespace ChatKit.Tests.Requests;

/// <summary>What is refused, and in which words; what is taken although the schema would not.</summary>
public sealed class RequestReaderTests
{
    private const string Input = """{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}""";

    /// <summary>
    /// Requests that the schema refuses and we take on purpose. None of the samples is among them; a tag without <c>data</c>
    /// is (below), because the client's own types call it optional.
    /// </summary>
    private static readonly string[] TakenOnPurpose = [];

    [Fact]
    public void Every_sample_of_a_bad_request_is_refused()
    {
        var samples = Samples.InvalidRequests.Where(sample => !TakenOnPurpose.Contains(sample.Why)).ToList();

        Assert.Equal(9, samples.Count);
        Assert.All(samples, sample => Assert.Throws<InvalidRequestException>(() => Read(sample.Message)));
    }

    [Theory]
    [InlineData("", null, "The body is not a JSON document that can be read.")]
    [InlineData("{", null, "The body is not a JSON document that can be read.")]
    [InlineData("""{"type":"threads.delete","params":{"thread_id":"t"},"metadata":{"a":1,"a":2}}""", null, "The body holds an object with two members of one name.")]
    [InlineData("[]", null, "The body must be a JSON object.")]
    [InlineData("{}", "type", "'type' is required: the name of an operation, for instance 'threads.create'.")]
    [InlineData("""{"type":7,"params":{}}""", "type", "'type' is required: the name of an operation, for instance 'threads.create'.")]
    [InlineData("""{"type":"threads.delete"}""", "params", "'params' is required.")]
    [InlineData("""{"type":"threads.delete","params":null}""", "params", "'params' is null or has the wrong type.")]
    [InlineData("""{"type":"threads.delete","params":{}}""", "params.thread_id", "'params.thread_id' is required.")]
    [InlineData("""{"type":"threads.delete","params":{"thread_id":5}}""", "params.thread_id", "'params.thread_id' is null or has the wrong type.")]
    [InlineData("""{"type":"threads.delete","params":{"thread_id":null}}""", "params.thread_id", "'params.thread_id' is null or has the wrong type.")]
    [InlineData("""{"type":"threads.delete","params":{"thread_id":"\ud800"}}""", "params.thread_id", "'params.thread_id' holds text that is not valid Unicode.")]
    [InlineData("""{"type":"threads.delete","params":{"thread_id":"t"},"metadata":[]}""", "metadata", "'metadata' is null or has the wrong type.")]
    [InlineData("""{"type":"threads.list","params":{"order":"ASC"}}""", "params.order", "'params.order' must be one of 'desc', 'asc'.")]
    [InlineData("""{"type":"threads.list","params":{"order":1}}""", "params.order", "'params.order' must be one of 'desc', 'asc'.")]
    [InlineData("""{"type":"threads.list","params":{"limit":"20"}}""", "params.limit", "'params.limit' is null or has the wrong type.")]
    [InlineData("""{"type":"items.feedback","params":{"thread_id":"t","item_ids":[null],"kind":"positive"}}""", "params.item_ids", "'params.item_ids' must not hold null.")]
    [InlineData("""{"type":"input.transcribe","params":{"audio_base64":"a?","mime_type":"audio/webm"}}""", "params.audio_base64", "'params.audio_base64' is null or has the wrong type.")]
    [InlineData("""{"type":"input.transcribe","params":{"audio_base64":null,"mime_type":"audio/webm"}}""", "params.audio_base64", "'params.audio_base64' is null or has the wrong type.")]
    [InlineData("""{"type":"threads.add_structured_input","params":{"thread_id":"t","item_id":"i","input":{"answers":{"q":null}}}}""", "params.input.answers", "'params.input.answers' must not hold null.")]
    [InlineData("""{"type":"threads.add_structured_input","params":{"thread_id":"t","item_id":"i","input":{"answers":{"q":{"values":[null]}}}}}""", "params.input.answers.q.values", "'params.input.answers.q.values' must not hold null.")]
    public void A_bad_request_is_refused_with_the_member_that_is_wrong(string body, string? path, string message)
    {
        var error = Assert.Throws<InvalidRequestException>(() => Read(body));

        Assert.Equal((path, message), (error.Path, error.Message));
    }

    [Theory]
    [InlineData("""{"type":"input_text"}""", "params.input.content[0].text", "'params.input.content[0].text' is required.")]
    [InlineData("""{"type":"input_text","text":null}""", "params.input.content[0].text", "'params.input.content[0].text' is null or has the wrong type.")]
    [InlineData("""{"type":"input_video"}""", "params.input.content[0]", "'params.input.content[0]' has no known 'type'.")]
    [InlineData("""{"text":"Hi"}""", "params.input.content[0]", "'params.input.content[0]' has no known 'type'.")]
    [InlineData("null", "params.input.content", "'params.input.content' must not hold null.")]
    public void A_bad_piece_of_a_message_is_refused_with_its_place(string content, string path, string message)
    {
        var body = $$"""{"type":"threads.create","params":{"input":{"content":[{{content}}],"attachments":[],"inference_options":{} } } }""";

        var error = Assert.Throws<InvalidRequestException>(() => Read(body));

        Assert.Equal((path, message), (error.Path, error.Message));
    }

    [Fact]
    public void An_unknown_operation_is_refused_with_all_there_are()
    {
        var error = Assert.Throws<InvalidRequestException>(() => Read("""{"type":"threads.stop","params":{}}"""));

        Assert.StartsWith("'type' must be one of 'threads.create', 'threads.add_user_message', ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
    {
        byte[] body = [.. """{"type":"threads.delete","params":{"thread_id":" """u8[..^1], 0xC3, 0x28, .. "\"}}"u8];

        Assert.Equal("params.thread_id", Assert.Throws<InvalidRequestException>(() => ChatKitRequest.Parse(body)).Path);
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(64, false)]
    public void A_value_nested_too_deep_is_refused_and_one_that_is_taken_can_be_written_anywhere(int depth, bool taken)
    {
        var body = $$"""{"type":"threads.add_client_tool_output","params":{"thread_id":"t","result":{{new string('[', depth)}}{{new string(']', depth)}} } }""";

        if (!taken)
        {
            Assert.Throws<InvalidRequestException>(() => Read(body));
            return;
        }

        var request = Assert.IsType<ThreadsAddClientToolOutputRequest>(Read(body));
        var call = new ClientToolCallItem
        {
            Id = "tc_1",
            ThreadId = "t",
            CreatedAt = DateTimeOffset.UnixEpoch,
            CallId = "c",
            Name = "n",
            Arguments = [],
            Output = request.Params.Result,
        };
        var page = new Page<ThreadItem> { Data = [call] };
        var thread = new ThreadView { Id = "t", CreatedAt = DateTimeOffset.UnixEpoch, Items = page };
        Assert.NotEmpty(ChatKitJson.ToWire<StreamEvent>(new ThreadCreatedEvent { Thread = thread }));
    }

    [Fact]
    public void The_type_may_come_last_and_unknown_members_are_ignored()
    {
        var request = Read("""{"x":1,"params":{"y":[],"input":{"content":[{"z":null,"text":"Hi","type":"input_text"}],"attachments":[],"inference_options":{}}},"type":"threads.create"}""");

        var create = Assert.IsType<ThreadsCreateRequest>(request);
        Assert.Equal(new UserTextContent { Text = "Hi" }, Assert.Single(create.Params.Input.Content));
    }

    [Fact]
    public void What_may_be_left_out_has_its_default()
    {
        var list = Assert.IsType<ThreadsListRequest>(Read("""{"type":"threads.list","params":{}}"""));
        var create = Assert.IsType<ThreadsCreateRequest>(Read($$"""{"type":"threads.create","params":{"input":{{Input}} } }"""));
        var answers = Assert.IsType<ThreadsAddStructuredInputRequest>(
            Read("""{"type":"threads.add_structured_input","params":{"thread_id":"t","item_id":"i","input":{}}}"""));

        Assert.Equal((null, SortOrder.Desc, null), (list.Params.Limit, list.Params.Order, list.Params.After));
        Assert.Empty(list.Metadata);
        Assert.Null(create.Params.Input.QuotedText);
        Assert.Equal((SubmissionStatus.Answered, 0), (answers.Params.Input.Status, answers.Params.Input.Answers.Count));
    }

    /// <summary>The schema demands <c>data</c>, as the Python server does; the client's types call it optional.</summary>
    [Fact]
    public void A_tag_without_data_is_taken()
    {
        var create = Assert.IsType<ThreadsCreateRequest>(Read(
            """{"type":"threads.create","params":{"input":{"content":[{"type":"input_tag","id":"d","text":"Plan"}],"attachments":[],"inference_options":{}}}}"""));

        var tag = Assert.IsType<UserTagContent>(Assert.Single(create.Params.Input.Content));
        Assert.Empty(tag.Data);
        Assert.False(tag.Interactive);
    }

    [Fact]
    public void A_payload_is_read_as_a_type_of_ones_own_and_refused_where_it_is_none()
    {
        var action = new WidgetAction { Type = "save", Payload = new JsonObject { ["id"] = "msg_1", ["thread_id"] = "thr_1", ["created_at"] = "2026-05-19T10:00:00" } };
        var contract = (System.Text.Json.Serialization.Metadata.JsonTypeInfo<EndOfTurnItem>)ChatKitJson.Store.GetTypeInfo(typeof(EndOfTurnItem));

        Assert.Equal("msg_1", action.PayloadAs(contract)!.Id);
        Assert.Null((action with { Payload = null }).PayloadAs(contract));
        Assert.Equal(
            "'params.action.payload.id' is required.",
            Assert.Throws<InvalidRequestException>(() => (action with { Payload = new JsonObject { ["thread_id"] = "t", ["created_at"] = "2026-05-19T10:00:00" } }).PayloadAs(contract)).Message);
        Assert.Equal(
            "'params.action.payload' is null or has the wrong type.",
            Assert.Throws<InvalidRequestException>(() => (action with { Payload = 5 }).PayloadAs(contract)).Message);
    }

    private static ChatKitRequest Read(string body) => ChatKitRequest.Parse(Encoding.UTF8.GetBytes(body));
}
