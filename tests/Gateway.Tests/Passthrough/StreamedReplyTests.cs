using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

/// <summary>Replies that come bit by bit, and how they end.</summary>
public sealed class StreamedReplyTests(PassthroughSetup setup) : PassthroughTest(setup)
{
    private const string Speech = """{"model":"model/name=scripted","input":"a","voice":"alloy"}""";

    private static readonly AnswerHead Mp3 = new(HttpStatusCode.OK, "audio/mpeg");

    [Theory]
    [InlineData("audio/mpeg")]
    [InlineData("text/event-stream")]
    public async Task The_first_bytes_arrive_before_the_upstream_ends(string type)
    {
        Upstream.Answers(Answer.Stream(
            new AnswerHead(HttpStatusCode.OK, type), Piece.Of("first"), Piece.Wait(TimeSpan.FromSeconds(1.5)), Piece.Of("last")));
        using var request = Request(Speech);

        using var reply = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        await using var body = await reply.Content.ReadAsStreamAsync(Cancel);
        var buffer = new byte[100];
        var read = await body.ReadAsync(buffer, Cancel);
        var wasAnswered = Upstream.Requests[0].Answered.IsCompleted;
        var rest = await new StreamReader(body).ReadToEndAsync(Cancel);

        Assert.Equal("first", Encoding.UTF8.GetString(buffer, 0, read));
        Assert.False(wasAnswered);
        Assert.Equal("last", rest);
        Assert.Equal(type, reply.Content.Headers.ContentType?.MediaType);
        Assert.Equal(type == "text/event-stream", reply.Headers.Contains("X-Accel-Buffering"));
    }

    [Fact]
    public async Task A_cut_breaks_the_callers_connection_too()
    {
        Upstream.Answers(Answer.Stream(Mp3, Piece.Of("some bytes"), Piece.Abort));
        using var request = Request(Speech);

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal((200, "some bytes", true), (reply.Status, reply.Text, reply.Broken));
        Assert.Contains("upstream_unavailable", await Setup.LogLineAsync(reply.Headers["x-request-id"], Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_shorter_than_it_promised_is_a_cut()
    {
        Upstream.Answers(Answer.WrongLength("""{"data":[""", 500));
        using var request = Request(Speech);

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.True(reply.Broken);
    }

    [Fact]
    public async Task A_cut_before_the_first_byte_is_a_502_with_our_headers()
    {
        Upstream.Answers(Answer.Stream(Mp3, Piece.Abort));
        using var request = Request(Speech);
        request.Headers.Add("Origin", "https://page.test");

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal((502, "upstream_unavailable"), (reply.Status, Code(reply)));
        Assert.True(reply.Headers.ContainsKey("x-request-id"));
        Assert.Equal("*", reply.Headers["Access-Control-Allow-Origin"]);
    }

    [Fact]
    public async Task A_stall_breaks_the_connection_when_the_idle_clock_runs_out()
    {
        Upstream.Answers(Answer.Stream(Mp3, Piece.Of("some bytes"), Piece.Stall));
        using var request = Request(Speech.Replace("scripted", "hasty", StringComparison.Ordinal));

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal(("some bytes", true), (reply.Text, reply.Broken));
        Assert.InRange(reply.AfterLastByte, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1.7));
        Assert.Contains("upstream_timeout", await Setup.LogLineAsync(reply.Headers["x-request-id"], Cancel), StringComparison.Ordinal);
        await Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(15), Cancel);
    }

    [Fact]
    public async Task A_slow_caller_is_not_a_silent_upstream()
    {
        var large = new byte[32 * 1024 * 1024];
        Upstream.Answers(Answer.Fixed(large, contentType: "audio/mpeg"));
        using var request = Request(Speech.Replace("scripted", "hasty", StringComparison.Ordinal));

        using var reply = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        // Twice the idle clock.
        await Task.Delay(TimeSpan.FromSeconds(1.4), Cancel);
        var body = await reply.Content.ReadAsByteArrayAsync(Cancel);

        Assert.True(reply.IsSuccessStatusCode, body.Length < 1_000 ? Encoding.UTF8.GetString(body) : "");
        Assert.Equal(large.Length, body.Length);
    }

    [Fact]
    public async Task A_header_that_cannot_be_sent_on_is_left_out()
    {
        Upstream.Answers(Answer.Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Disposition: attachment; filename=t\u00f6n.mp3\r\n"
            + "openai-version: 1\r\nConnection: close\r\nContent-Length: 5\r\n\r\nsound"));
        using var request = Request(Speech);

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal((200, "sound", "audio/mpeg", "1"), (reply.Status, reply.Text, reply.ContentType, reply.Headers["openai-version"]));
        Assert.DoesNotContain("Content-Disposition", reply.Headers.Keys);
    }

    [Fact]
    public async Task A_caller_who_leaves_takes_the_upstreams_request_along()
    {
        Upstream.Answers(Answer.Stream(Mp3, Piece.Of("some bytes"), Piece.Stall));
        using var request = Request(Speech);

        string id;
        using (var reply = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel))
        {
            id = reply.Headers.GetValues("x-request-id").First();
            await (await reply.Content.ReadAsStreamAsync(Cancel)).ReadExactlyAsync(new byte[10], Cancel);
        }

        await Upstream.Requests[0].Disconnected.WaitAsync(TimeSpan.FromSeconds(15), Cancel);
        Assert.Contains("caller_left", await Setup.LogLineAsync(id, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_leaves_before_the_reply_begins_takes_the_request_along()
    {
        Upstream.Answers(Answer.After(TimeSpan.FromSeconds(20), Answer.Json("{}")));
        using var request = Request(Speech);
        request.Headers.Add("x-request-id", "left-early");
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var sending = Client.SendAsync(request, leave.Token);
        var arrived = await Upstream.NextRequestAsync(Cancel);
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await arrived.Disconnected.WaitAsync(TimeSpan.FromSeconds(15), Cancel);
        Assert.Contains("caller_left", await Setup.LogLineAsync("left-early", Cancel), StringComparison.Ordinal);
    }

    private static HttpRequestMessage Request(string body) => new(HttpMethod.Post, "/v1/audio/speech")
    {
        Content = new StringContent(body, Encoding.UTF8, "application/json"),
    };
}
