using System.Runtime.InteropServices;
using Gateway.Tests.Support;

namespace Gateway.Tests.Usage;

/// <summary>
/// A disk without room for the journal. What stands in for it is the process's limit for files, which the kernel answers
/// with the same failing writes, for any user and in any container.
/// </summary>
public sealed class FullDiskTests(TestPostgres postgres)
{
    private const int FileSizeLimit = 1;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_are_served_on_what_is_missing_is_counted_and_writing_resumes()
    {
        // Arrange: long selectors fill the two segments that are there already.
        await using var gateway = await UsageGateway.StartAsync(postgres, Cancel);
        SetFileLimit(gateway.Process.ProcessId, 65_536);
        var selector = "model/name=" + new string('x', 500);
        var asked = 0;

        // Act: until there is no room, and on.
        await FillAsync(() => gateway.Process.Output.Contains("The usage journal cannot be written", StringComparison.Ordinal));
        var atAlarm = asked;
        await FillAsync(() => asked > atAlarm + 8_000 || Unwritten(gateway) > 100);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, await gateway.AskAsync($"full{i}", cancel: Cancel));
        }

        SetFileLimit(gateway.Process.ProcessId, ulong.MaxValue);
        await gateway.UntilAsync(() => gateway.Process.Output.Contains("The usage journal is written again", StringComparison.Ordinal), Cancel);
        Assert.Equal(200, await gateway.AskAsync("after", cancel: Cancel));

        // Assert: the process lived, so that not even those that only memory held are missing.
        Assert.Matches(@"written again\. Not on disk: [1-9]\d* starts, [1-9]\d* ends; lost: 0 rows", gateway.Process.Output);
        await gateway.RowsAsync(asked + 21, Cancel);
        var journal = Directory.GetDirectories(Path.Combine(gateway.Process.DataDirectory, "journal")).Single();
        await gateway.UntilAsync(() => Directory.GetFiles(journal).Length is 2 or 3, Cancel);

        Task FillAsync(Func<bool> isEnough) => Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            while (!isEnough())
            {
                Assert.Equal(404, await gateway.AskAsync($"r{Interlocked.Increment(ref asked)}".PadRight(128, '_'), selector, cancel: Cancel));
            }
        }));
    }

    private static int Unwritten(UsageGateway gateway)
    {
        var last = gateway.Process.Output.LastIndexOf("Not on disk so far: ", StringComparison.Ordinal);
        var words = gateway.Process.Output[last..].Split(' ');
        return int.Parse(words[7], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void SetFileLimit(int process, ulong bytes)
    {
        // The soft limit alone, which everybody may raise again.
        Assert.Equal(0, Limit(process, FileSizeLimit, IntPtr.Zero, out var old));
        var wanted = new Limits { Soft = Math.Min(bytes, old.Hard), Hard = old.Hard };
        Assert.Equal(0, Limit(process, FileSizeLimit, wanted, IntPtr.Zero));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public ulong Soft;
        public ulong Hard;
    }

    [DllImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static extern int Limit(int process, int resource, IntPtr wanted, out Limits old);

    [DllImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static extern int Limit(int process, int resource, in Limits wanted, IntPtr old);
}
