using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>Bodies that are too large or too slow: the caller must see the refusal, also one that is still sending.</summary>
[Collection(HttpTestsShareOneGateway.Name)]
public sealed class BodySizeTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private const int Limit = 20 * 1_048_576;
    private const string Good = """{"model":"model/name=plain","messages":[{"role":"user","content":"hi"}]}""";

    private string Post => $"POST /v1/chat/completions HTTP/1.1\nAuthorization: Bearer {Setup.Key}\nContent-Type: application/json";

    [Fact]
    public async Task A_body_over_the_limit_is_refused_to_an_ordinary_client() =>
        await Setup.AssertRefusedAsync(await Setup.ChatAsync(Padded(Limit + 1), Cancel), 413, "request_too_large");

    [Fact]
    public async Task A_body_at_the_limit_is_taken()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));

        Assert.Equal(200, (await Setup.ChatAsync(Padded(Limit), Cancel)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_caller_who_sends_it_all_before_reading_sees_the_refusal(bool withLength)
    {
        // Far more than the kernel's buffers hold: closing on the unread rest would reset the refusal away.
        var body = Padded(2 * Limit);
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head(withLength ? $"{Post}\nContent-Length: {Text(body.Length)}" : $"{Post}\nTransfer-Encoding: chunked"), Cancel);
        if (withLength)
        {
            await connection.WriteAsync(body, Cancel);
        }
        else
        {
            await WriteChunkedAsync(connection, body);
        }

        await Setup.AssertRefusedAsync(await connection.ReadReplyAsync(false, Cancel), 413, "request_too_large");
    }

    [Fact]
    public async Task A_caller_who_asks_first_is_spared_the_sending()
    {
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head($"{Post}\nExpect: 100-continue\nContent-Length: {Text(2 * Limit)}"), Cancel);

        await Setup.AssertRefusedAsync(await connection.ReadReplyAsync(false, Cancel), 413, "request_too_large");
    }

    [Theory]
    [InlineData("Content-Length: 1000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_body_that_trickles_in_is_given_up(string how)
    {
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);
        var clock = Stopwatch.StartNew();
        await connection.WriteAsync(RawConnection.Head($"{Post}\n{how}"), Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var trickle = TrickleAsync(connection, how.StartsWith('T') ? "1\r\n \r\n" : " ", stop.Token);
        var reply = await connection.ReadReplyAsync(false, Cancel);
        await stop.CancelAsync();
        await trickle;

        Assert.InRange(clock.Elapsed.TotalSeconds, 3, 12);
        await Setup.AssertRefusedAsync(reply, 408, "request_timeout");
    }

    [Theory]
    [InlineData("Content-Length: 1000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_caller_who_leaves_in_the_middle_of_its_body_is_no_error_of_ours(string how)
    {
        var logged = Setup.Gateway.Output.Length;
        using (var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel))
        {
            await connection.WriteAsync(RawConnection.Head($"{Post}\nx-request-id: leaves-{how[..3]}\n{how}"), Cancel);
            await connection.WriteAsync(Encoding.ASCII.GetBytes(how.StartsWith('T') ? "5\r\n{\"mod\r\n" : "{\"mod"), Cancel);
            await Task.Delay(100, Cancel);
        }

        await WaitForAsync(() => Setup.Gateway.Output[logged..].Contains($"leaves-{how[..3]}", StringComparison.Ordinal));
        Assert.DoesNotContain(" ERR ", Setup.Gateway.Output[logged..], StringComparison.Ordinal);
        Assert.Empty(Upstream.Requests);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "application/json", "Content-Length: 100000")]
    [InlineData("/v1/chat/completions", "application/json", "Transfer-Encoding: chunked")]
    [InlineData("/v1/audio/transcriptions", "multipart/form-data; boundary=b", "Content-Length: 100000")]
    public async Task A_caller_whose_connection_breaks_in_the_middle_of_its_body_is_logged_as_gone(string path, string type, string how)
    {
        var logged = Setup.Gateway.Output.Length;
        var id = $"breaks-{Guid.NewGuid():N}";
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);
        await connection.WriteAsync(
            RawConnection.Head($"POST {path} HTTP/1.1\nAuthorization: Bearer {Setup.Key}\nContent-Type: {type}\nx-request-id: {id}\n{how}"), Cancel);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(how.StartsWith('T') ? "5\r\n{\"mod\r\n" : "{\"mod"), Cancel);
        // Let the gateway come to wait for the rest.
        await Task.Delay(200, Cancel);

        connection.Reset();

        await WaitForAsync(() => Setup.Gateway.Output[logged..].Contains(id, StringComparison.Ordinal));
        Assert.DoesNotContain(" ERR ", Setup.Gateway.Output[logged..], StringComparison.Ordinal);
        Assert.Contains(
            Setup.Gateway.Output[logged..].Split('\n'),
            line => line.Contains(id, StringComparison.Ordinal) && line.Contains("caller_left", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Content-Length: 1000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_body_that_ends_too_early_is_its_callers_doing(string how)
    {
        var logged = Setup.Gateway.Output.Length;
        var id = $"ends-{Guid.NewGuid():N}";
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head($"{Post}\nx-request-id: {id}\n{how}"), Cancel);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(how.StartsWith('T') ? "5\r\n{\"mod\r\n" : "{\"mod"), Cancel);
        connection.EndSending();

        await WaitForAsync(() => Setup.Gateway.Output[logged..].Split('\n').Any(
            line => line.Contains(id, StringComparison.Ordinal) && line.Contains("caller_left", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("zz\r\n")]
    [InlineData("5\r\n{\"modXX")]
    public async Task A_broken_transfer_coding_is_refused(string chunks)
    {
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head($"{Post}\nTransfer-Encoding: chunked"), Cancel);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(chunks), Cancel);

        await Setup.AssertRefusedAsync(await connection.ReadReplyAsync(false, Cancel), 400, null);
    }

    [Fact]
    public async Task A_body_in_single_bytes_is_taken()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head($"{Post}\nTransfer-Encoding: chunked"), Cancel);
        foreach (var character in Good)
        {
            await connection.WriteAsync(Encoding.ASCII.GetBytes($"1\r\n{character}\r\n"), Cancel);
        }

        await connection.WriteAsync("0\r\n\r\n"u8.ToArray(), Cancel);

        Assert.Equal(200, (await connection.ReadReplyAsync(false, Cancel)).Status);
        Assert.Equal(Good.Replace("model/name=", "", StringComparison.Ordinal), Encoding.UTF8.GetString(Upstream.LastBody));
    }

    [Fact]
    public async Task A_refused_caller_can_go_on_using_its_connection()
    {
        Upstream.Answers(Answer.Json(Replies.Completion("plain", "Yes.")));
        using var connection = await RawConnection.OpenAsync(Setup.Gateway.BaseUrl, Cancel);

        await connection.WriteAsync(RawConnection.Head($"{Post}\nContent-Length: 3"), Cancel);
        await connection.WriteAsync("{x}"u8.ToArray(), Cancel);
        await Setup.AssertRefusedAsync(await connection.ReadReplyAsync(false, Cancel), 400, null);
        await connection.WriteAsync(RawConnection.Head($"{Post}\nContent-Length: {Text(Good.Length)}"), Cancel);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(Good), Cancel);

        Assert.Equal(200, (await connection.ReadReplyAsync(false, Cancel)).Status);
    }

    private static byte[] Padded(int length) => Encoding.ASCII.GetBytes(Good.PadRight(length));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task WriteChunkedAsync(RawConnection connection, byte[] body)
    {
        const int ChunkBytes = 1_048_576;
        for (var at = 0; at < body.Length; at += ChunkBytes)
        {
            await connection.WriteAsync(Encoding.ASCII.GetBytes($"{ChunkBytes:x}\r\n"), Cancel);
            await connection.WriteAsync(body.AsMemory(at, ChunkBytes), Cancel);
            await connection.WriteAsync("\r\n"u8.ToArray(), Cancel);
        }

        await connection.WriteAsync("0\r\n\r\n"u8.ToArray(), Cancel);
    }

    private static async Task TrickleAsync(RawConnection connection, string piece, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await connection.WriteAsync(Encoding.ASCII.GetBytes(piece), stop);
                await Task.Delay(200, stop);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Answered, or closed.
        }
    }

    private static async Task WaitForAsync(Func<bool> isSo)
    {
        for (var tries = 0; !isSo(); tries++)
        {
            Assert.True(tries < 200, "It did not come about within 10 s.");
            await Task.Delay(50, Cancel);
        }
    }
}
