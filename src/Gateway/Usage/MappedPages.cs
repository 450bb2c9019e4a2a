using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Gateway.Usage;

/// <summary>
/// What Linux can do with the pages of a mapped file and .NET does not offer: <c>msync(2)</c> of a part, and
/// <c>madvise(2)</c>'s <c>MADV_POPULATE_WRITE</c>.
/// </summary>
internal static class MappedPages
{
    /// <summary>Of most systems; where pages are larger, all here works with less effect.</summary>
    public const int Bytes = 4_096;

    private const int Synchronously = 4;
    private const int PopulateForWriting = 23;

    /// <summary>Where the first page begins that is at or behind this position.</summary>
    public static long Begin(long position) => (position + Bytes - 1) & -Bytes;

    /// <summary>Brings the file's first bytes to the disk, and waits for it.</summary>
    /// <exception cref="IOException">The disk did not take them.</exception>
    /// <exception cref="ObjectDisposedException">The memory is no longer mapped.</exception>
    public static void Flush(SafeBuffer memory, long bytes)
    {
        if (Sync(memory, (nuint)bytes, Synchronously) != 0)
        {
            throw new IOException($"msync: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    /// <summary>
    /// Makes pages ready to be written without a page fault, and leaves what is in them. A system that cannot (before Linux
    /// 5.14) makes each ready when it is written to.
    /// </summary>
    /// <param name="start">A page's begin.</param>
    /// <exception cref="ObjectDisposedException">The memory is no longer mapped.</exception>
    public static void MakeReady(SafeBuffer memory, long start, long end)
    {
        var isHeld = false;
        try
        {
            memory.DangerousAddRef(ref isHeld);
            if (end > start)
            {
                _ = Advise(memory.DangerousGetHandle() + (nint)start, (nuint)(end - start), PopulateForWriting);
            }
        }
        finally
        {
            if (isHeld)
            {
                memory.DangerousRelease();
            }
        }
    }

    [DllImport("libc", EntryPoint = "msync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(SafeBuffer start, nuint length, int flags);

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint start, nuint length, int advice);
}
