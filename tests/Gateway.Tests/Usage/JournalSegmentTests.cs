using System.Buffers.Binary;
using Gateway.Tests.Support;
using Gateway.Usage;

namespace Gateway.Tests.Usage;

/// <summary>The journal's files: what was appended is read back, whatever was going on when the process ended.</summary>
public sealed class JournalSegmentTests : IDisposable
{
    private const int SegmentBytes = 256 * 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-journal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(333)]
    [InlineData(40_000)]
    public void What_was_appended_is_read_back(int bytes)
    {
        var payload = Enumerable.Range(0, bytes).Select(i => (byte)(i * 7)).ToArray();
        using var segment = Make();

        Assert.True(segment.TryAppend(RecordKind.Start, payload));
        Assert.True(segment.TryAppend(RecordKind.End, [1, 2, 3]));

        var live = ReadAll(segment);
        Assert.Equal([(RecordKind.Start, bytes), (RecordKind.End, 3)], live.Select(r => (r.Kind, r.Bytes.Length)));
        Assert.Equal(payload, live[0].Bytes);
        Assert.Equal(live.Select(r => r.Bytes), Dead().Select(r => r.Bytes));
    }

    [Fact]
    public void Its_blocks_are_there_before_it_is_mapped()
    {
        using var segment = Make();

        Assert.InRange(AllocatedBytes(segment.Path), SegmentBytes, long.MaxValue);
    }

    [Fact]
    public void Records_behind_torn_and_unfinished_ones_are_found()
    {
        // Arrange: a crash image in which one record was never finished, one lost a byte, and the others stand between.
        string path;
        using (var segment = Make())
        {
            path = segment.Path;
            for (var i = 0; i < 6; i++)
            {
                Assert.True(segment.TryAppend(RecordKind.End, Numbered(i)));
            }
        }

        var image = File.ReadAllBytes(path);
        var size = RecordHead.Bytes + 56;
        image.AsSpan(0, size).Clear();
        image.AsSpan(2 * size, 8).Clear();
        image[(3 * size) + RecordHead.Bytes + 20] ^= 1;
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan((4 * size) + 4), int.MaxValue);
        File.WriteAllBytes(path, image);

        // Act
        var read = Dead();

        // Assert
        Assert.Equal([1, 5], read.Select(r => BinaryPrimitives.ReadInt32LittleEndian(r.Bytes)));
    }

    [Fact]
    public void A_file_that_was_cut_off_is_read_as_far_as_it_goes()
    {
        using (var segment = Make())
        {
            for (var i = 0; i < 3; i++)
            {
                segment.TryAppend(RecordKind.End, Numbered(i));
            }

            using var file = File.OpenWrite(segment.Path);
            file.SetLength((2 * (RecordHead.Bytes + 56)) + 30);
        }

        Assert.Equal(2, Dead().Count);
        File.WriteAllBytes(Directory.GetFiles(_folder)[0], []);
        Assert.Null(JournalSegment.OpenDead(Directory.GetFiles(_folder)[0]));
    }

    [Fact]
    public void A_full_segment_says_no_and_is_complete_when_all_that_fitted_is_there()
    {
        using var segment = Make();
        var appended = 0;
        while (segment.TryAppend(RecordKind.End, Numbered(appended)))
        {
            Assert.False(segment.IsComplete);
            appended++;
        }

        Assert.True(segment.IsComplete);
        Assert.False(segment.TryAppend(RecordKind.End, [1]));
        Assert.Equal(SegmentBytes / (RecordHead.Bytes + 56), appended);
        Assert.Equal(Enumerable.Range(0, appended), ReadAll(segment).Select(r => BinaryPrimitives.ReadInt32LittleEndian(r.Bytes)));
    }

    /// <summary>A record of 24 + 8n bytes leaves rests of all sizes; one of 8 bytes is too small for a gap, which takes the next page too.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4_096 - RecordHead.Bytes)]
    [InlineData(4_096 - RecordHead.Bytes - 8)]
    [InlineData(4_096 - RecordHead.Bytes - 16)]
    [InlineData(4_096 - RecordHead.Bytes - 24)]
    public void What_follows_a_flush_begins_on_a_page_of_its_own(int bytes)
    {
        using var segment = Make();
        segment.TryAppend(RecordKind.Start, new byte[bytes]);

        segment.Flush();
        segment.TryAppend(RecordKind.End, Numbered(7));
        segment.Flush();
        segment.Flush();

        var image = File.ReadAllBytes(segment.Path).AsSpan();
        Assert.Equal(0, image.IndexOf(Numbered(7)) % 4_096 - RecordHead.Bytes);
        Assert.Equal([RecordKind.Start, RecordKind.End], ReadAll(segment).Select(r => r.Kind));
        Assert.Equal([RecordKind.Start, RecordKind.End], Dead().Select(r => r.Kind));
    }

    [Fact]
    public void A_segment_that_is_flushed_after_each_record_is_filled_and_complete_like_any_other()
    {
        using var segment = Make();
        var appended = 0;
        while (segment.TryAppend(RecordKind.End, Numbered(appended)))
        {
            segment.Flush();
            appended++;
        }

        segment.Flush();

        Assert.True(segment.IsComplete);
        Assert.InRange(appended, SegmentBytes / 4_096, int.MaxValue);
        Assert.Equal(Enumerable.Range(0, appended), ReadAll(segment).Select(r => BinaryPrimitives.ReadInt32LittleEndian(r.Bytes)));
        Assert.Equal(Enumerable.Range(0, appended), Dead().Select(r => BinaryPrimitives.ReadInt32LittleEndian(r.Bytes)));
    }

    [Fact]
    public async Task Eight_threads_append_over_many_segments_and_all_is_read_in_order()
    {
        // Arrange
        const int Threads = 8;
        const int Each = 10_000;
        using var files = new JournalFiles(_folder, SegmentBytes);
        files.Tend();
        files.Tend();
        var isOver = false;
        var refused = 0;
        var keeper = Task.Run(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                files.Flush();
                if (files.NeedsSpare)
                {
                    files.Tend();
                }
            }
        }, TestContext.Current.CancellationToken);

        // Act
        var writers = Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < Each; i++)
                {
                    var payload = new byte[8 + (i % 200)];
                    BinaryPrimitives.WriteInt32LittleEndian(payload, thread);
                    BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), i);
                    while (!files.TryAppend(RecordKind.Start, payload))
                    {
                        Interlocked.Increment(ref refused);
                        Thread.Yield();
                    }
                }
            }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        var next = new int[Threads];
        var reading = Task.Run(() => ReadWhile(files, next, Threads * Each), TestContext.Current.CancellationToken);
        await Task.WhenAll(writers);
        await reading;
        Volatile.Write(ref isOver, true);
        await keeper;

        // Assert
        Assert.All(next, count => Assert.Equal(Each, count));
        Assert.InRange(Directory.GetFiles(files.Directory).Length, 1, 4);
    }

    private static void ReadWhile(JournalFiles files, int[] next, int count)
    {
        var buffer = new byte[16];
        var deadline = Environment.TickCount64 + 60_000;
        for (var read = 0; read < count;)
        {
            Assert.True(Environment.TickCount64 < deadline, $"{read} of {count} were read in a minute.");
            if (!files.Segments.TryPeek(out var segment))
            {
                continue;
            }

            var position = 0;
            while (true)
            {
                var isComplete = segment.IsComplete;
                if (segment.Read(ref position, ref buffer) is { Kind: RecordKind.Start })
                {
                    // Each thread's own are in its order.
                    Assert.Equal(next[BinaryPrimitives.ReadInt32LittleEndian(buffer)]++, BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4)));
                    read++;
                }
                else if (isComplete || read == count)
                {
                    break;
                }
            }

            files.Segments.TryDequeue(out _);
            files.Delete(segment);
        }
    }

    private static byte[] Numbered(int number)
    {
        var payload = new byte[56];
        Array.Fill(payload, (byte)0xEE);
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
        return payload;
    }

    private static long AllocatedBytes(string path)
    {
        var result = ChildProcess.RunAsync("du", ["-k", path], TimeSpan.FromSeconds(10), cancel: TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return long.Parse(result.Output.Split('\t')[0], System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }

    private static List<(RecordKind Kind, byte[] Bytes)> ReadAll(JournalSegment segment)
    {
        var (position, buffer, all) = (0, new byte[8], new List<(RecordKind, byte[])>());
        while (segment.Read(ref position, ref buffer) is { Kind: not RecordKind.None } record)
        {
            all.Add((record.Kind, buffer[..record.Length]));
        }

        return all;
    }

    private JournalSegment Make() => JournalSegment.Create(Path.Combine(_folder, "1.segment"), SegmentBytes);

    private List<(RecordKind Kind, byte[] Bytes)> Dead()
    {
        using var segment = JournalSegment.OpenDead(Path.Combine(_folder, "1.segment"))!;
        return ReadAll(segment);
    }
}
