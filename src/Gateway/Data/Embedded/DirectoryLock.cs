namespace Gateway.Data.Embedded;

/// <summary>
/// A lock on a file, which the system releases when the process dies. Two handles exclude each other within one
/// process too, and so do two containers that share a volume, where process ids say nothing.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SilentWait = TimeSpan.FromSeconds(1);

    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Takes the lock for one (or, shared, for many). Null when somebody holds it the other way.</summary>
    public static DirectoryLock? TryTake(string path, bool isShared)
    {
        try
        {
            // .NET takes an exclusive flock for FileShare.None and a shared one for all else, without waiting.
            var share = isShared ? FileShare.ReadWrite : FileShare.None;
            return new DirectoryLock(UnixFiles.OpenPrivate(path, FileMode.OpenOrCreate, share));
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Waits for the lock; says what it waits for once it has waited a second.</summary>
    public static async Task<DirectoryLock> TakeAsync(
        string path, Action<string>? progress, TimeProvider clock, CancellationToken cancel)
    {
        var begun = clock.GetTimestamp();
        while (true)
        {
            if (TryTake(path, isShared: false) is { } taken)
            {
                return taken;
            }

            if (progress is not null && clock.GetElapsedTime(begun) > SilentWait)
            {
                progress("Waiting for another gateway command that starts or stops the database…");
                progress = null;
            }

            await Task.Delay(RetryInterval, clock, cancel);
        }
    }

    public void Dispose() => _file.Dispose();

    // EWOULDBLOCK, of Linux and of macOS. A full disk or a missing permission is an error and not a held lock.
    private static bool IsHeld(IOException e) => e.HResult is 11 or 35;
}
