using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>Bodies that are refused before anything in them counts, and those that are only odd.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class BodyTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const string Rest = """ "messages":[{"role":"user","content":"hi"}] """;
    private const string Good = $$"""{"model":"model/name=plain",{{Rest}}}""";

    private static readonly Dictionary<string, byte[]> Unreadable = new()
    {
        ["cut"] = Bytes("""{"model":"""),
        ["cut in a string"] = Bytes("""{"model":"mod"""),
        ["blank"] = Bytes("  \n "),
        ["an array"] = Bytes($"[{Good}]"),
        ["a string"] = Bytes("\"model\""),
        ["a number"] = Bytes("7"),
        ["null"] = Bytes("null"),
        ["text behind it"] = Bytes(Good + "x"),
        ["two objects"] = Bytes(Good + Good),
        ["a comment"] = Bytes("/* */" + Good),
        ["a trailing comma"] = Bytes($$"""{"model":"model/name=plain",{{Rest}},}"""),
        ["single quotes"] = Bytes("{'model':'model/name=plain'}"),
        ["NaN"] = Bytes($$"""{"model":"model/name=plain",{{Rest}},"temperature":NaN}"""),
        ["a raw control character"] = Bytes("{\"model\":\"a\u0001\"}"),
        ["a zero byte behind it"] = [.. Bytes(Good), 0],
        ["a byte order mark"] = [0xEF, 0xBB, 0xBF, .. Bytes(Good)],
        ["UTF-16"] = Encoding.Unicode.GetBytes(Good),
        ["UTF-16 with its mark"] = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Good)],
        ["UTF-32"] = Encoding.UTF32.GetBytes(Good),
        ["a byte that is not UTF-8"] = [.. Bytes("""{"model":"model/name=plain","a":" """), 0xFF, .. Bytes("\"}")],
        ["an overlong form"] = [.. Bytes("""{"model":"model/name=plain","a":" """), 0xC0, 0xAF, .. Bytes("\"}")],
        ["a surrogate in UTF-8"] = [.. Bytes("""{"model":"model/name=plain","a":" """), 0xED, 0xA0, 0x80, .. Bytes("\"}")],
        ["half a character at the end"] = [.. Bytes(Good), 0xE2, 0x82],
        ["half a surrogate pair in a name"] = Bytes($$"""{"model":"model/name=plain","\ud800":1,{{Rest}}}"""),
        ["arrays 100,000 deep"] = Bytes($$"""{"model":"model/name=plain",{{Rest}},"a":{{new string('[', 100_000)}}{{new string(']', 100_000)}}}"""),
        ["arrays 100,000 deep and open"] = Bytes($$"""{"model":"model/name=plain","a":{{new string('[', 100_000)}}"""),
        ["objects 100,000 deep"] = Bytes($$"""{"a":{{string.Concat(Enumerable.Repeat("{\"a\":", 100_000))}}1{{new string('}', 100_000)}}}"""),
        ["messages 65 deep"] = Bytes($$"""{"model":"model/name=plain","messages":[{"role":"user","content":{{new string('[', 62)}}{{new string(']', 62)}}}]}"""),
        ["a name that never ends"] = Bytes("{\"" + new string('a', 300_000)),
    };

    public static TheoryData<string> UnreadableBodies => [.. Unreadable.Keys];

    [Theory]
    [MemberData(nameof(UnreadableBodies))]
    public async Task An_unreadable_body_is_refused(string body) =>
        await Setup.AssertRefusedAsync(await Setup.ChatAsync(Unreadable[body], Cancel), 400, null);

    [Theory]
    [InlineData("")]
    [InlineData("Content-Length: 0")]
    public async Task An_empty_body_is_refused(string length)
    {
        var reply = await RawConnection.SendAsync(
            Setup.Gateway.BaseUrl, $"POST /v1/chat/completions HTTP/1.1\nAuthorization: Bearer {Setup.Key}\n{length}", [], Cancel);

        Assert.Contains("no body", await Setup.AssertRefusedAsync(reply, 400, null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":"model/name=plain","model":"model/name=plain","messages":[]}""", "model")]
    [InlineData("""{"model":"model/name=plain","mod\u0065l":"model/name=named","messages":[]}""", "model")]
    [InlineData("""{"a":1,"model":"model/name=plain","messages":[],"\u0061":1}""", "a")]
    [InlineData("""{"grüße":1,"gr\u00fc\u00dfe":1}""", "grüße")]
    [InlineData("""{"":1,"":2}""", "")]
    public async Task A_member_given_twice_is_refused(string body, string name) =>
        await Setup.AssertRefusedAsync(await Setup.ChatAsync(body, Cancel), 400, "duplicate_parameter", name);

    [Fact]
    public async Task A_member_given_twice_among_many_is_refused()
    {
        var many = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"\"m{i}\":{i},"));

        var reply = await Setup.ChatAsync($$"""{{{many}}"model":"model/name=plain","\u006d4999":0,{{Rest}}}""", Cancel);

        await Setup.AssertRefusedAsync(reply, 400, "duplicate_parameter", "m4999");
    }

    [Theory]
    [InlineData("\"model\":5", "model")]
    [InlineData("\"model\":[\"model/name=plain\"]", "model")]
    [InlineData("\"messages\":\"hi\"", "messages")]
    [InlineData("\"messages\":{}", "messages")]
    [InlineData("\"messages\":[5]", "messages[0]")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},null]", "messages[1]")]
    [InlineData("\"messages\":[[]]", "messages[0]")]
    [InlineData("\"messages\":[{\"role\":7}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":null}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":7}]", "messages[0].content")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\"}}]", "messages[0].content")]
    [InlineData("\"stream\":\"true\"", "stream")]
    [InlineData("\"stream\":1", "stream")]
    [InlineData("\"str\\u0065am\":1", "stream")]
    [InlineData("\"stream_options\":true", "stream_options")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"n\":\"2\"", "n")]
    [InlineData("\"max_tokens\":\"80\"", "max_tokens")]
    [InlineData("\"max_completion_tokens\":{}", "max_completion_tokens")]
    [InlineData("\"tools\":{}", "tools")]
    [InlineData("\"functions\":\"f\"", "functions")]
    [InlineData("\"tool_choice\":5", "tool_choice")]
    [InlineData("\"function_call\":true", "function_call")]
    [InlineData("\"stop\":5", "stop")]
    [InlineData("\"response_format\":\"json\"", "response_format")]
    [InlineData("\"logit_bias\":[]", "logit_bias")]
    [InlineData("\"parallel_tool_calls\":\"yes\"", "parallel_tool_calls")]
    [InlineData("\"user\":7", "user")]
    [InlineData("\"metadata\":[]", "metadata")]
    public async Task A_field_of_a_wrong_type_is_refused(string member, string param)
    {
        string[] rest = ["\"model\":\"model/name=plain\"", Rest];
        var others = rest.Where(other => !other.TrimStart().StartsWith(member.Split(':')[0], StringComparison.Ordinal));

        var reply = await Setup.ChatAsync($"{{{member},{string.Join(',', others)}}}", Cancel);

        await Setup.AssertRefusedAsync(reply, 400, "invalid_type", param);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}]}""", "missing_required_parameter", "model")]
    [InlineData("""{"model":null,"messages":[{"role":"user","content":"hi"}]}""", "missing_required_parameter", "model")]
    [InlineData("""{"model":"model/name=plain"}""", "missing_required_parameter", "messages")]
    [InlineData("""{"model":"model/name=plain","messages":null}""", "missing_required_parameter", "messages")]
    [InlineData("""{"model":"model/name=plain","messages":[]}""", "empty_array", "messages")]
    [InlineData("""{"model":"model/name=plain","messages":[{}]}""", "missing_required_parameter", "messages[0].role")]
    [InlineData("{}", "missing_required_parameter", "model")]
    [InlineData("""{"model":"bot/id=helper","messages":[]}""", "empty_array", "messages")]
    public async Task What_is_missing_is_named(string body, string code, string param) =>
        await Setup.AssertRefusedAsync(await Setup.ChatAsync(body, Cancel), 400, code, param);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/jsonp")]
    [InlineData("application/json-seq")]
    public async Task A_wrong_content_type_is_refused(string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Good) };
        request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);

        await Setup.AssertRefusedAsync(await RawReply.ReadAsync(Setup.Client, request, Cancel), 415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_compressed_body_is_refused(string encoding)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Bytes(Good), Cancel);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(packed.ToArray()) };
        request.Content.Headers.ContentType = new("application/json");
        request.Content.Headers.ContentEncoding.Add(encoding);

        await Setup.AssertRefusedAsync(await RawReply.ReadAsync(Setup.Client, request, Cancel), 415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("APPLICATION/JSON")]
    [InlineData("application/vnd.api+json")]
    [InlineData(null)]
    public async Task A_body_is_taken_under_every_name_of_JSON(string? type)
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(Bytes(Good)) };
        request.Content.Headers.ContentType = type is null ? null : System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);

        Assert.Equal(200, (await RawReply.ReadAsync(Setup.Client, request, Cancel)).Status);
    }

    [Fact]
    public async Task Nesting_up_to_the_limit_is_taken()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        var deep = new string('[', 63) + new string(']', 63);

        Assert.Equal(200, (await Setup.ChatAsync($$"""{"model":"model/name=plain",{{Rest}},"deep":{{deep}}}""", Cancel)).Status);
        Assert.Equal(400, (await Setup.ChatAsync($$"""{"model":"model/name=plain",{{Rest}},"deep":[{{deep}}]}""", Cancel)).Status);
    }

    [Fact]
    public async Task Nulls_mean_absent()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        string[] fields = ["stream", "stream_options", "temperature", "n", "max_tokens", "tools", "functions", "function_call", "stop", "user"];
        var nulls = string.Concat(fields.Select(field => $",\"{field}\":null"));

        var reply = await Setup.ChatAsync($$"""{"model":"model/name=plain",{{Rest}}{{nulls}}}""", Cancel);

        Assert.Equal(200, reply.Status);
        Assert.Equal($$"""{"model":"plain",{{Rest}}{{nulls}}}""", Encoding.UTF8.GetString(Upstream.LastBody));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
