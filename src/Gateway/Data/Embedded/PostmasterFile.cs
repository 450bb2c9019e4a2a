using System.Globalization;

namespace Gateway.Data.Embedded;

/// <summary>What a running (or killed) server has written about itself: <c>postmaster.pid</c> of its data directory.</summary>
/// <param name="Port">Null in the first moments of a start.</param>
/// <param name="Status"><c>starting</c>, <c>ready</c>, <c>stopping</c> or <c>standby</c>; empty in the first moments.</param>
internal sealed record PostmasterFile(int Pid, string DataDirectory, int? Port, string Status)
{
    // No system has such a process, so that the server takes the file for what it is: a leftover.
    private const int NobodysPid = int.MaxValue - 1;

    public bool IsReady => Status == "ready" && Port is not null;

    /// <summary>Reads the file's text; null when there is no process id and directory in it yet.</summary>
    public static PostmasterFile? Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 2
            || !int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || lines[1].Length == 0)
        {
            return null;
        }

        int? port = lines.Length > 3 && int.TryParse(lines[3], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
        return new PostmasterFile(pid, lines[1], port, lines.Length > 7 ? lines[7].Trim() : "");
    }

    public static async Task<PostmasterFile?> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            return Parse(await File.ReadAllTextAsync(path, cancel));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether the process lives and serves this very directory. A process id alone says nothing: after a restart of
    /// the machine another process has it, and in a copied directory it is the original's server.
    /// </summary>
    public async Task<bool> IsServingAsync(string cluster, CancellationToken cancel)
    {
        var command = await CommandLineAsync(Pid, cancel);
        if (!command.Contains("postgres", StringComparison.Ordinal))
        {
            return false;
        }

        // A server works in its data directory, but in some containers not even root may read where another user works.
        return new FileInfo($"/proc/{Pid}/cwd").LinkTarget is { } workplace
            ? workplace == cluster
            : UnixFiles.RealPath(DataDirectory) == cluster
                && (command + " ").Contains($"-D {DataDirectory} ", StringComparison.Ordinal);
    }

    /// <summary>
    /// Keeps a process that has inherited a dead server's id from blocking the start. The file itself stays: by its
    /// shared memory key the server makes sure that no process of its predecessor is still at work.
    /// </summary>
    public static async Task MarkAsLeftoverAsync(string path, CancellationToken cancel)
    {
        var text = await File.ReadAllTextAsync(path, cancel);
        if (text.Length == 0)
        {
            // Died before it had written a word, so before it had touched anything.
            File.Delete(path);
        }
        else if (Parse(text) is not null)
        {
            var rest = text[text.IndexOf('\n', StringComparison.Ordinal)..];
            await File.WriteAllTextAsync(path, NobodysPid.ToString(CultureInfo.InvariantCulture) + rest, cancel);
        }
    }

    private static async Task<string> CommandLineAsync(int pid, CancellationToken cancel)
    {
        if (!Directory.Exists("/proc/self"))
        {
            var listed = await new ServerProcess(user: null).RunAsync(
                "ps", ["-ww", "-o", "command=", "-p", pid.ToString(CultureInfo.InvariantCulture)], cancel);
            return listed.Output.Trim();
        }

        try
        {
            return (await File.ReadAllTextAsync($"/proc/{pid}/cmdline", cancel)).TrimEnd('\0').Replace('\0', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
