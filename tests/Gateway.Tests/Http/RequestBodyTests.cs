using System.Text;
using Gateway.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Http;

/// <summary>What reading a body costs, and what it makes of a lost connection.</summary>
public sealed class RequestBodyTests
{
    private const int Limit = 20 * 1_048_576;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_announced_and_has_not_come_takes_no_memory()
    {
        var sent = new Sent(new byte[10], 7);

        await ReadAsync(sent, announced: Limit);

        Assert.InRange(sent.LargestBuffer, 1, 256 * 1024);
    }

    [Fact]
    public async Task A_large_body_that_says_its_length_is_moved_to_a_larger_buffer_few_times()
    {
        var sent = new Sent(new byte[Limit], 65_000);

        await ReadAsync(sent, announced: Limit);

        Assert.InRange(sent.Buffers, 1, 4);
    }

    [Theory]
    [InlineData(1_000, 1_000)]
    [InlineData(50_000, 7_000)]
    [InlineData(1_000_000, 65_000)]
    [InlineData(1_000_000, 1_000_000)]
    public async Task A_body_is_read_whole_however_it_comes(int length, int piece)
    {
        var bytes = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, length / 10).Select(i => $"{i,10}")));

        Assert.Equal(bytes, await ReadAsync(new Sent(bytes, piece), announced: length));
        Assert.Equal(bytes, await ReadAsync(new Sent(bytes, piece), announced: null));
    }

    [Fact]
    public async Task A_small_body_is_read_at_once()
    {
        var sent = new Sent(new byte[50_000], 50_000);

        await ReadAsync(sent, announced: 50_000);

        Assert.Equal(1, sent.Reads);
    }

    [Theory]
    [InlineData(Limit, false)]
    [InlineData(Limit + 1, true)]
    public async Task The_limit_holds_without_an_announcement(int length, bool isRefused)
    {
        var http = Request(new Sent(new byte[length], 1_000_000), announced: null);

        var (body, error) = await RequestBody.ReadJsonAsync(http, new BodyLimits(Limit, Limit), Cancel);

        Assert.Equal((isRefused, isRefused ? 413 : null), (body is null, error?.Status));
        body?.Dispose();
    }

    [Fact]
    public async Task A_connection_that_is_lost_is_told_apart_from_trouble_of_our_own() =>
        await Assert.ThrowsAsync<ConnectionResetException>(
            () => ReadAsync(new Sent([], 1) { Fails = new IOException("The client reset the request stream.") }, announced: 10));

    private static async Task<byte[]> ReadAsync(Sent sent, long? announced)
    {
        var (body, _) = await RequestBody.ReadJsonAsync(Request(sent, announced), new BodyLimits(Limit, Limit), Cancel);
        using (body)
        {
            return body!.Memory.ToArray();
        }
    }

    private static DefaultHttpContext Request(Sent sent, long? announced) =>
        new() { Request = { Body = sent, ContentLength = announced } };

    /// <summary>A body that comes in pieces and notes what it is read into.</summary>
    private sealed class Sent(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        private int _room;

        public int LargestBuffer { get; private set; }

        public int Reads { get; private set; }

        /// <summary>How often there was more room than before, so that what had come was copied; the first is one.</summary>
        public int Buffers { get; private set; }

        public Exception? Fails { get; init; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads++;
            Buffers += buffer.Length > _room ? 1 : 0;
            _room = buffer.Length;
            LargestBuffer = Math.Max(LargestBuffer, buffer.Length);
            return Fails is null
                ? base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken)
                : ValueTask.FromException<int>(Fails);
        }
    }
}
