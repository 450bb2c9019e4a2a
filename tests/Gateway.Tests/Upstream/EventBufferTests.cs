using System.Text;
using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

public sealed class EventBufferTests
{
    [Theory]
    [InlineData("data: one\n\ndata: two\n\n")]
    [InlineData("data: one\r\n\r\ndata: two\r\n\r\n")]
    [InlineData("data: one\r\rdata: two\r\r")]
    [InlineData("data:one\n\ndata:two\n\n")]
    [InlineData(": a comment\n\ndata: one\n\n: another\ndata: two\n\n")]
    [InlineData("event: x\nid: 7\ndata: one\nretry: 3\n\ndata: two\n\n")]
    [InlineData("\n\n\ndata: one\n\n\n\n\ndata: two\n\n\n")]
    public void Events_are_found_wherever_the_bytes_are_cut(string stream)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);

        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(["one", "two"], DataOf(bytes[..cut], bytes[cut..]));
        }
    }

    [Fact]
    public void Events_are_found_when_every_byte_comes_alone()
    {
        var bytes = Encoding.UTF8.GetBytes(": c\r\n\r\ndata: one\r\n\r\ndata: two\r\n\r\n");

        Assert.Equal(["one", "two"], DataOf([.. bytes.Select(b => new[] { b })]));
    }

    [Fact]
    public void Data_in_several_lines_is_one_text_with_line_feeds() =>
        Assert.Equal(["a\nb\n\nc", "d"], DataOf("data: a\ndata: b\ndata:\ndata: c\n\ndata: d\n\n"u8.ToArray()));

    [Fact]
    public void Every_byte_belongs_to_exactly_one_event()
    {
        // Arrange
        var bytes = ": c\n\ndata: one\r\n\r\n\n\nevent: x\ndata: two\n\n"u8.ToArray();
        using var buffer = new EventBuffer();
        Fill(buffer, bytes);

        // Act
        var passed = new List<byte>();
        while (buffer.TryNext())
        {
            passed.AddRange(buffer.Bytes(buffer.EventStart, buffer.EventEnd).Span);
        }

        // Assert
        Assert.Equal(bytes, passed);
    }

    [Fact]
    public void A_last_event_without_its_blank_line_counts_once_the_stream_is_over()
    {
        // Arrange
        using var buffer = new EventBuffer();
        Fill(buffer, "data: one\n\ndata: two"u8.ToArray());

        // Act, Assert
        Assert.True(buffer.TryNext());
        Assert.False(buffer.TryNext());
        Assert.True(buffer.TryNext(atEnd: true));
        Assert.Equal("two", Encoding.UTF8.GetString(buffer.Data));
        Assert.True(buffer.LacksBlankLine);
        Assert.False(buffer.TryNext(atEnd: true));
    }

    [Fact]
    public void An_event_of_megabytes_is_one_event()
    {
        var text = new string('x', 5_000_000);

        Assert.Equal([text, "two"], DataOf([.. Encoding.UTF8.GetBytes($"data: {text}\n\ndata: two\n\n").Chunk(16_000)]));
    }

    [Fact]
    public void An_event_past_the_limit_gets_no_more_room()
    {
        using var buffer = new EventBuffer();

        var received = 0;
        while (buffer.Room(out var room))
        {
            room.Span.Fill((byte)'x');
            buffer.Received(room.Length);
            received += room.Length;
            Assert.False(buffer.TryNext());
        }

        Assert.InRange(received, EventBuffer.MaxEventBytes / 2, EventBuffer.MaxEventBytes * 2);
    }

    private static List<string> DataOf(params byte[][] pieces)
    {
        using var buffer = new EventBuffer();
        var found = new List<string>();
        foreach (var piece in pieces)
        {
            Fill(buffer, piece);
            while (buffer.TryNext())
            {
                if (buffer.HasData)
                {
                    found.Add(Encoding.UTF8.GetString(buffer.Data));
                }

                buffer.Release(buffer.EventEnd);
            }
        }

        while (buffer.TryNext(atEnd: true))
        {
            if (buffer.HasData)
            {
                found.Add(Encoding.UTF8.GetString(buffer.Data));
            }
        }

        return found;
    }

    private static void Fill(EventBuffer buffer, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            Assert.True(buffer.Room(out var room));
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room.Span);
            buffer.Received(count);
            bytes = bytes[count..];
        }
    }
}
