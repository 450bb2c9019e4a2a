using System.Text;
using Gateway.Benchmarks.Load;

namespace Gateway.Tests.Performance;

public class ReplyReaderTests
{
    private readonly ReplyReader _reply = new();

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false)]
    [InlineData("HTTP/1.1 503 Busy\r\ncontent-length:0\r\nconnection: close\r\n\r\n", "", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nA;x=1\r\nlo, world!\r\n0\r\n\r\n", "hello, world!", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n", "!", false)]
    public void A_reply_is_whole_at_its_last_byte_however_it_arrives(string text, string body, bool closesAfter)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var size = 1; size <= bytes.Length; size++)
        {
            _reply.Reset();
            foreach (var piece in bytes.Chunk(size))
            {
                Assert.False(_reply.IsWhole);
                _reply.Feed(piece);
            }

            Assert.True(_reply.IsWhole);
            Assert.Equal(body, Encoding.ASCII.GetString(_reply.Body));
            Assert.Equal(closesAfter, _reply.ClosesAfter);
            Assert.Equal(text[9..12], $"{_reply.Status}");
        }
    }

    [Fact]
    public void A_body_without_a_length_ends_with_the_connection()
    {
        _reply.Feed("HTTP/1.0 200 OK\r\n\r\nhello"u8);
        Assert.False(_reply.IsWhole);

        _reply.Closed();

        Assert.True(_reply is { IsWhole: true, ClosesAfter: true });
        Assert.Equal("hello"u8, _reply.Body);
    }

    [Fact]
    public void A_connection_closed_in_the_middle_leaves_no_whole_reply()
    {
        _reply.Feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"u8);
        _reply.Closed();

        Assert.False(_reply.IsWhole);
    }

    [Theory]
    [InlineData("garbage that is long enough\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab")]
    public void What_is_no_reply_is_refused(string text)
    {
        Assert.Throws<InvalidDataException>(() => _reply.Feed(Encoding.ASCII.GetBytes(text)));
    }
}
