using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Gateway.Data.Embedded;

namespace Gateway.Usage;

/// <summary>
/// One file of the journal, mapped into memory. Appending is a reservation, a copy, and a word that makes the record valid,
/// written last; a process that is killed in between leaves a gap, which its checksum and the search for the next record
/// pass over.
/// <para>
/// A page that is on its way to the disk may be written only after a page fault, which takes tens of microseconds (and more while
/// the disk is busy). So what follows a flush begins on a page of its own, which the flushing thread has made ready.
/// </para>
/// </summary>
internal sealed class JournalSegment : IDisposable
{
    private const int NotSealed = int.MaxValue;

    /// <summary>Ready from the begin, in bytes; then it is known how much is written between two flushes.</summary>
    private const int ReadyAtFirst = 256 * 1024;

    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeBuffer _memory;
    private readonly bool _isDead;
    private long _reserved;
    private long _published;
    private int _sealedAt = NotSealed;
    private int _isDirty;
    private long _flushed;

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
                // Page by page: the system keeps what is written at once as one, and all of it is closed to writers when a part
                // of it is flushed.
                var zeros = new byte[MappedPages.Bytes];
                for (var left = bytes; left > 0; left -= zeros.Length)
                {
                    file.Write(zeros, 0, Math.Min(left, zeros.Length));
                }

                file.Flush(flushToDisk: true);
            }

            var segment = new JournalSegment(path, isDead: false);
            segment.MakeReady(0, ReadyAtFirst);
            return segment;
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
        new FileInfo(path).Length < RecordHead.Bytes ? null : new JournalSegment(path, isDead: true);

    /// <summary>May be called by many threads. False when there is no room left.</summary>
    public bool TryAppend(RecordKind kind, ReadOnlySpan<byte> payload)
    {
        var size = RecordHead.SizeOf(payload.Length);
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
        _memory.Write(offset + 8, (ulong)RecordHead.Checksum(kind, payload.Length, payload));
        // By words: the copy goes element by element.
        _memory.WriteSpan(offset + RecordHead.Bytes, MemoryMarshal.Cast<byte, ulong>(payload[..whole]));
        if (whole < payload.Length)
        {
            ulong last = 0;
            payload[whole..].CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref last)));
            _memory.Write(offset + RecordHead.Bytes + (ulong)whole, last);
        }

        Thread.MemoryBarrier();
        _memory.Write(offset, RecordHead.Word(kind, payload.Length));
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
        while (position + RecordHead.Bytes <= Math.Min(Volatile.Read(ref _sealedAt), Capacity))
        {
            var head = _memory.Read<ulong>((ulong)position);
            Thread.MemoryBarrier();
            if (!RecordHead.TryRead(head, out var kind, out var length))
            {
                if (!_isDead)
                {
                    return default;
                }

                position += 8;
                continue;
            }

            if (length < 0 || length > Capacity - position - RecordHead.Bytes)
            {
                position += 8;
                continue;
            }

            if (kind == RecordKind.Gap && _memory.Read<ulong>((ulong)position + 8) == RecordHead.Checksum(kind, length, default))
            {
                position += RecordHead.SizeOf(length);
                continue;
            }

            var words = (length + 7) / 8;
            if (buffer.Length < words * 8)
            {
                buffer = new byte[words * 8];
            }

            _memory.ReadSpan((ulong)position + RecordHead.Bytes, MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(0, words * 8)));
            if (_memory.Read<ulong>((ulong)position + 8) != RecordHead.Checksum(kind, length, buffer.AsSpan(0, length)))
            {
                if (!_isDead)
                {
                    position += RecordHead.SizeOf(length);
                    return (RecordKind.None, -1);
                }

                position += 8;
                continue;
            }

            position += RecordHead.SizeOf(length);
            return (kind, length);
        }

        return default;
    }

    /// <summary>
    /// Brings to the disk what was written since the last time; a system call only when something was. One thread at a time.
    /// </summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    public void Flush()
    {
        if (Interlocked.Exchange(ref _isDirty, 0) != 0)
        {
            try
            {
                if (OperatingSystem.IsLinux())
                {
                    MappedPages.Flush(_memory, TurnPage());
                }
                else
                {
                    _view.Flush();
                }
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

    /// <summary>Lets the next record begin on a page of its own.</summary>
    /// <returns>The end of what is to be flushed, in bytes from the begin.</returns>
    private long TurnPage()
    {
        var at = Interlocked.Read(ref _reserved);
        var next = MappedPages.Begin(at);
        // As much as since the last time, and as much again for what comes while the disk is at work.
        MakeReady(next, next + (2 * (next - _flushed)) + MappedPages.Bytes);
        while (true)
        {
            next = MappedPages.Begin(at);
            if (next - at is > 0 and < RecordHead.Bytes)
            {
                next += MappedPages.Bytes;
            }

            if (next >= Capacity)
            {
                return Capacity;
            }

            var found = Interlocked.CompareExchange(ref _reserved, next, at);
            if (found == at)
            {
                break;
            }

            at = found;
        }

        if (next > at)
        {
            var length = (int)(next - at) - RecordHead.Bytes;
            _memory.Write((ulong)at + 8, (ulong)RecordHead.Checksum(RecordKind.Gap, length, default));
            Thread.MemoryBarrier();
            _memory.Write((ulong)at, RecordHead.Word(RecordKind.Gap, length));
            Interlocked.Add(ref _published, next - at);
        }

        return _flushed = next;
    }

    private void MakeReady(long start, long end)
    {
        if (OperatingSystem.IsLinux())
        {
            MappedPages.MakeReady(_memory, start, Math.Min(end, Capacity));
        }
    }
}
