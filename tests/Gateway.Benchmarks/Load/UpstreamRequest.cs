using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// What the upstream looks at in a body. Only its first and last 16 kB are looked through, for marks that cannot stand inside
/// a JSON string: 20 MB of it cost no more than taking them from the socket.
/// </summary>
internal readonly record struct UpstreamRequest(BenchModel Model, bool IsStream, bool WantsUsage, long BodyBytes)
{
    private const int EndBytes = 16 * 1024;

    public static async ValueTask<UpstreamRequest> ReadAsync(PipeReader body, CancellationToken cancel)
    {
        var read = await body.ReadAsync(cancel);
        if (read is { IsCompleted: true, Buffer.IsSingleSegment: true })
        {
            var request = Of(read.Buffer.FirstSpan, read.Buffer.Length);
            body.AdvanceTo(read.Buffer.End);
            return request;
        }

        var ends = ArrayPool<byte>.Shared.Rent(2 * EndBytes);
        try
        {
            var (length, total) = (0, 0L);
            while (true)
            {
                total += read.Buffer.Length;
                length = Keep(read.Buffer, ends, length);
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return Of(ends.AsSpan(0, length), total);
                }

                read = await body.ReadAsync(cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(ends);
        }
    }

    /// <summary>Fills up the first half once, and the second with the last that came.</summary>
    private static int Keep(ReadOnlySequence<byte> bytes, byte[] ends, int length)
    {
        const int Most = 2 * EndBytes;
        if (length + bytes.Length > Most)
        {
            var first = Math.Min(Math.Max(0, EndBytes - length), bytes.Length);
            bytes.Slice(0, first).CopyTo(ends.AsSpan(length));
            length += (int)first;
            bytes = bytes.Slice(first);
            // The last that fit, behind as much of what was there before as then stays.
            bytes = bytes.Slice(Math.Max(0, bytes.Length - EndBytes));
            var stays = Math.Min(length - EndBytes, EndBytes - (int)bytes.Length);
            ends.AsSpan(length - stays, stays).CopyTo(ends.AsSpan(EndBytes));
            length = EndBytes + stays;
        }

        bytes.CopyTo(ends.AsSpan(length));
        return length + (int)bytes.Length;
    }

    private static UpstreamRequest Of(ReadOnlySpan<byte> bytes, long total)
    {
        var name = ValueOf(bytes, "\"model\""u8);
        var model = name.StartsWith("\""u8) && name[1..].IndexOf((byte)'"') is >= 0 and var end
            ? Encoding.UTF8.GetString(name.Slice(1, end))
            : "";
        return new UpstreamRequest(
            BenchModel.Parse(model), ValueOf(bytes, "\"stream\""u8).StartsWith("true"u8),
            ValueOf(bytes, "\"include_usage\""u8).StartsWith("true"u8), total);
    }

    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> name) =>
        bytes.IndexOf(name) is >= 0 and var at ? bytes[(at + name.Length)..].TrimStart(": "u8) : default;
}
