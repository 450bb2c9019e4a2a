using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// Linux' epoll and one timer: a thousand sockets on one thread, without a task, a thread or an allocation for each event. What
/// the load generator spends is taken from the system that it measures. Not for concurrent use.
/// </summary>
internal sealed class Epoll : IDisposable
{
    private const int Add = 1;
    private const int Change = 3;
    private const uint Readable = 1;
    private const uint Writable = 4;
    private const int MostEvents = 256;
    private const int MonotonicClock = 1;
    private const int TimerTag = -1;

    /// <summary>An event is packed on x64 alone.</summary>
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private static readonly int EventBytes = DataOffset + sizeof(long);

    private readonly byte[] _event = new byte[16];
    private readonly byte[] _events = new byte[MostEvents * 16];
    private readonly int _epoll = Check(Create(0));
    private readonly int _timer = Check(CreateTimer(MonotonicClock, 0));
    // How often, how long until the first: each in seconds and nanoseconds.
    private readonly long[] _interval = new long[4];
    private long _timerAt = long.MaxValue;

    public Epoll()
    {
        Write(Readable, TimerTag);
        Check(Control(_epoll, Add, _timer, _event));
    }

    /// <param name="tag">What <see cref="Wait"/> names it by; not negative. A closed socket leaves by itself.</param>
    public void Watch(SafeHandle socket, int tag) => Set(Add, socket, tag, Readable);

    /// <param name="isWriting">Whether it is also to be told when more can be written.</param>
    public void Rewatch(SafeHandle socket, int tag, bool isWriting) =>
        Set(Change, socket, tag, isWriting ? Readable | Writable : Readable);

    /// <summary>Waits until a socket has something, or until a time.</summary>
    /// <param name="until">As <see cref="LoadClock.Now"/>.</param>
    /// <param name="tags">Takes the tags of the sockets that have something.</param>
    public void Wait(long until, List<int> tags)
    {
        SetTimer(until);
        tags.Clear();
        var count = WaitFor(_epoll, _events, MostEvents, -1);
        // A signal, such as the runtime's own, ends the wait early.
        for (var i = 0; i < count; i++)
        {
            var tag = (int)BinaryPrimitives.ReadInt64LittleEndian(_events.AsSpan((i * EventBytes) + DataOffset));
            if (tag == TimerTag)
            {
                // Set anew it is no longer ready, whatever it is set to.
                _timerAt = long.MaxValue;
                continue;
            }

            tags.Add(tag);
        }
    }

    public void Dispose()
    {
        _ = Close(_timer);
        _ = Close(_epoll);
    }

    private void SetTimer(long at)
    {
        if (at == _timerAt)
        {
            return;
        }

        _timerAt = at;
        // Zero would turn it off.
        var wait = Math.Max(1, at - LoadClock.Now);
        (_interval[2], _interval[3]) = (wait / LoadClock.Second, wait % LoadClock.Second);
        Check(ArmTimer(_timer, 0, _interval, 0));
    }

    private void Set(int operation, SafeHandle socket, int tag, uint events)
    {
        Write(events, tag);
        Check(Control(_epoll, operation, (int)socket.DangerousGetHandle(), _event));
    }

    private void Write(uint events, int tag)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_event, events);
        BinaryPrimitives.WriteInt64LittleEndian(_event.AsSpan(DataOffset), tag);
    }

    private static int Check(int result) => result < 0 ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : result;

    [DllImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Create(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int epoll, int operation, int file, byte[] change);

    [DllImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int WaitFor(int epoll, byte[] events, int most, int milliseconds);

    [DllImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CreateTimer(int clock, int flags);

    [DllImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ArmTimer(int timer, int flags, long[] interval, nint before);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int file);
}
