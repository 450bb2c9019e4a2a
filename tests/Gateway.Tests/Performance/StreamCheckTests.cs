using System.Text;
using Gateway.Benchmarks.Load;

namespace Gateway.Tests.Performance;

public class StreamCheckTests
{
    private readonly StreamCheck _check = new();

    [Theory]
    [InlineData("0 1 2 3", 0, 0, 0)]
    [InlineData("0 1 3", 1, 0, 0)]
    [InlineData("1 2 3", 1, 0, 0)]
    [InlineData("0 1 2", 1, 0, 0)]
    [InlineData("", 4, 0, 0)]
    [InlineData("0 1 1 2 3", 0, 1, 0)]
    [InlineData("0 1 2 3 3", 0, 1, 0)]
    [InlineData("0 2 1 3", 0, 0, 1)]
    [InlineData("3 2 1 0", 0, 0, 3)]
    [InlineData("0 2 2 1 1", 1, 2, 1)]
    public void Order_notices_what_is_lost_doubled_or_out_of_order(string numbers, int lost, int doubled, int reordered)
    {
        var order = new ChunkOrder();
        foreach (var number in numbers.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            order.Saw(int.Parse(number, System.Globalization.CultureInfo.InvariantCulture));
        }

        order.End(4);

        Assert.Equal((lost, doubled, reordered), (order.Lost, order.Doubled, order.Reordered));
        Assert.Equal(4 - lost, order.Seen);
    }

    [Fact]
    public void Upstreams_own_stream_is_whole_however_it_is_cut_into_reads()
    {
        var bytes = Bytes(new BenchModel(BenchBehaviour.AtOnce, 300, 20));
        foreach (var size in (int[])[1, 7, 100, bytes.Length])
        {
            var check = new StreamCheck();
            var (chunks, held) = (0, new List<byte>());
            foreach (var piece in bytes.Chunk(size))
            {
                held.AddRange(piece);
                held.RemoveRange(0, check.Read([.. held], out var some));
                chunks += some;
            }

            check.Order.End(20);
            Assert.Empty(held);
            Assert.Equal((20, 0), (chunks, check.Order.Lost));
            Assert.True(check is { IsFinished: true, IsDone: true, HasFailed: false });
        }
    }

    [Fact]
    public void A_stream_without_its_last_event_is_not_done()
    {
        var text = Encoding.UTF8.GetString(Bytes(BenchModel.Parse("bench-brief")));
        _check.Read(Encoding.UTF8.GetBytes(text.Replace("data: [DONE]\n\n", "", StringComparison.Ordinal)), out _);

        Assert.True(_check is { IsFinished: true, IsDone: false });
    }

    [Fact]
    public void An_error_event_is_a_failure_and_no_chunk()
    {
        _check.Read("data: {\"error\":{\"message\":\"gone\"}}\n\n"u8, out var chunks);

        Assert.True(_check.HasFailed);
        Assert.Equal(0, chunks);
    }

    private static byte[] Bytes(BenchModel model) => [.. UpstreamReplies.Events(model, withUsage: true).All.SelectMany(e => e)];
}
