using System.IO.MemoryMappedFiles;
using System.Numerics;
using System.Runtime.InteropServices;
using Gateway.Data.Embedded;

namespace Gateway.Usage;

internal enum RecordKind
{
    None = 0,
    Start = 1,
    End = 2,
}

/// <summary>
/// One file of the journal, mapped into memory. Appending is a reservation, a copy, and a word that makes the record valid,
/// written last; a process that is killed in between leaves a gap, which its checksum and the search for the next record
/// pass over.
/// </summary>
/// <remarks>
/// A record is 16 bytes of header and the payload, filled up to 8: <c>mark and kind (4), payload bytes (4), CRC-32C (4), 0 (4)</c>.
/// </remarks>
internal sealed class JournalSegment : IDisposable
{
    public const int HeaderBytes = 16;

    private const uint Mark = 0x55_57_47_00;
    private const uint MarkMask = 0xFF_FF_FF_00;
    private const int NotSealed = int.MaxValue;

    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeBuffer _memory;
    private readonly bool _isDead;
    private long _reserved;
    private long _published;
    private int _sealedAt = NotSealed;
    private int _isDirty;

    private JournalSegment(string path, bool isDead)
    {
        Path = path;
        _isDead = isDead;
        var access = isDead ? MemoryMappedFileAccess.Read : MemoryMappedFileAccess.ReadWrite;
        // The view lives on without the file's handle; a long outage would otherwise use up those that a process may have.
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, access);
        _view = file.CreateViewAccessor(0, 0, access);
        _memory = _view.SafeMemoryMappedViewHandle;
        Capacity = (int)(new FileInfo(path).Length & ~7L);
        _sealedAt = isDead ? Capacity : NotSealed;
    }

    public string Path { get; }

    public int Capacity { get; }

    /// <summary>Full.</summary>
    public bool IsSealed => Volatile.Read(ref _sealedAt) != NotSealed;

    /// <summary>Full, and all that was reserved is there: whoever reads it to its end has read it all.</summary>
    public bool IsComplete => Volatile.Read(ref _sealedAt) is var end && end != NotSealed && (_isDead || Interlocked.Read(ref _published) == end);

    /// <summary>Requests whose start is in here and whose end is not shipped; the reader's own count.</summary>
    public int OpenStarts { get; set; }

    /// <summary>
    /// Makes a file whose every block is there: on a disk that fills up later, a write into a mapped hole would end the
    /// process. Zeros are written, rather than room reserved, since not every file system reserves, and some that do
    /// would still have to do work at the first write to each page.
    /// </summary>
    /// <exception cref="Exception">No room, or not allowed, in one of several types; nothing is left behind.</exception>
    public static JournalSegment Create(string path, int bytes)
    {
        try
        {
            using (var file = UnixFiles.OpenPrivate(path, FileMode.Create, FileShare.None))
            {
                var zeros = new byte[64 * 1024];
                for (var left = bytes; left > 0; left -= zeros.Length)
                {
                    file.Write(zeros, 0, Math.Min(left, zeros.Length));
                }

                file.Flush(flushToDisk: true);
            }

            return new JournalSegment(path, isDead: false);
        }
        catch
        {
            TryDelete(path);
            throw;
        }
    }

    /// <summary>Opens a file that nobody writes any more.</summary>
    /// <returns>Null for one that was never filled.</returns>
    public static JournalSegment? OpenDead(string path) =>
        new FileInfo(path).Length < HeaderBytes ? null : new JournalSegment(path, isDead: true);

    /// <summary>May be called by many threads. False when there is no room left.</summary>
    public bool TryAppend(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        var size = SizeOf(payload.Length);
        var at = Interlocked.Add(ref _reserved, size) - size;
        if (at + size > Capacity)
        {
            // Only the first to find no room begins within the file; all before it will be there.
            if (at <= Capacity)
            {
                Volatile.Write(ref _sealedAt, (int)at);
            }

            return false;
        }

        var offset = (ulong)at;
        var whole = payload.Length & ~7;
        _memory.Write(offset + 8, (ulong)Checksum(kind, payload));
        // By words: the copy goes element by element.
        _memory.WriteSpan(offset + HeaderBytes, MemoryMarshal.Cast<byte, ulong>(payload[..whole]));
        if (whole < payload.Length)
        {
            ulong last = 0;
            payload[whole..].CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref last)));
            _memory.Write(offset + HeaderBytes + (ulong)whole, last);
        }

        Thread.MemoryBarrier();
        _memory.Write(offset, ((ulong)(uint)payload.Length << 32) | Mark | (uint)kind);
        Volatile.Write(ref _isDirty, 1);
        Interlocked.Add(ref _published, size);
        return true;
    }

    /// <summary>Reads the record at a position, which it moves on.</summary>
    /// <param name="buffer">Grown when too small.</param>
    /// <returns>
    /// None: there is no more yet, or, in a complete segment, at all. Or, with a length below 0, one that is damaged though
    /// nobody died.
    /// </returns>
    public (RecordKind Kind, int Length) Read(ref int position, ref byte[] buffer)
    {
        while (position + HeaderBytes <= Math.Min(Volatile.Read(ref _sealedAt), Capacity))
        {
            var head = _memory.Read<ulong>((ulong)position);
            Thread.MemoryBarrier();
            if (((uint)head & MarkMask) != Mark)
            {
                if (!_isDead)
                {
                    return default;
                }

                position += 8;
                continue;
            }

            var kind = (RecordKind)((uint)head & ~MarkMask);
            var length = (int)(head >> 32);
            if (length < 0 || length > Capacity - position - HeaderBytes)
            {
                position += 8;
                continue;
            }

            var words = (length + 7) / 8;
            if (buffer.Length < words * 8)
            {
                buffer = new byte[words * 8];
            }

            _memory.ReadSpan((ulong)position + HeaderBytes, MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(0, words * 8)));
            if (_memory.Read<ulong>((ulong)position + 8) != Checksum(kind, buffer.AsSpan(0, length)))
            {
                if (!_isDead)
                {
                    position += SizeOf(length);
                    return (RecordKind.None, -1);
                }

                position += 8;
                continue;
            }

            position += SizeOf(length);
            return (kind, length);
        }

        return default;
    }

    /// <summary>Brings to the disk what was written since the last time; a system call only when something was.</summary>
    public void Flush()
    {
        if (Interlocked.Exchange(ref _isDirty, 0) != 0)
        {
            try
            {
                _view.Flush();
            }
            catch (ObjectDisposedException)
            {
                // Shipped and deleted meanwhile.
            }
        }
    }

    public void Dispose() => _view.Dispose();

    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // It costs room and nothing else: shipping it again changes nothing.
        }
    }

    private static int SizeOf(int payload) => (HeaderBytes + payload + 7) & ~7;

    private static uint Checksum(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        var sum = BitOperations.Crc32C(uint.MaxValue, ((ulong)(uint)payload.Length << 32) | (uint)kind);
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        foreach (var word in words)
        {
            sum = BitOperations.Crc32C(sum, word);
        }

        foreach (var last in payload[(words.Length * 8)..])
        {
            sum = BitOperations.Crc32C(sum, last);
        }

        return ~sum;
    }
}
