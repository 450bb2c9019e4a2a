using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gateway.Benchmarks.Processes;

/// <summary>
/// A program that the benchmark started and that it ends again. What it prints goes into a file, past the benchmark,
/// which would otherwise take part in what it measures.
/// </summary>
internal sealed class OwnProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const string IntoFile = """log=$0; exec "$@" > "$log" 2>&1""";
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    // A developer's own settings must not reach what is measured.
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "TZ", "DOTNET_ROOT", "DOTNET_CLI_HOME"];

    private readonly Process _process;
    private readonly string _log;
    private bool _isDisposed;

    private OwnProcess(Process process, string name, string log)
    {
        _process = process;
        Name = name;
        _log = log;
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The end of what it printed, for a message.</summary>
    public string LastWords => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(30)) : "";

    /// <param name="name">Names its log, so no two alike at a time.</param>
    /// <param name="folder">Where the log goes, and where it runs.</param>
    /// <param name="settings">Environment variables, beside the few that are inherited.</param>
    public static OwnProcess Start(
        string name, string folder, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? settings = null)
    {
        var log = Path.Combine(folder, $"{name}.log");
        var start = Describe(["sh", "-c", IntoFile, log, .. command], settings);
        start.WorkingDirectory = folder;
        // Held open as long as the benchmark lives: who wants to know of its end reads it.
        start.RedirectStandardInput = true;
        return new OwnProcess(Process.Start(start)!, name, log);
    }

    /// <summary>Runs a command to its end and answers with what it wrote to its standard output.</summary>
    /// <exception cref="InvalidOperationException">It failed; holds what it printed.</exception>
    /// <exception cref="TimeoutException">It did not end in time and was killed.</exception>
    public static async Task<string> RunAsync(
        IReadOnlyList<string> command, TimeSpan limit, CancellationToken cancel, IReadOnlyDictionary<string, string>? settings = null)
    {
        var start = Describe(command, settings);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        clock.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(clock.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancel.ThrowIfCancellationRequested();
            throw new TimeoutException($"{Show(command)} did not end within {limit}.\n{await output}\n{await errors}");
        }

        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{Show(command)} ended with {process.ExitCode}.\n{await output}\n{await errors}");
    }

    /// <summary>SIGTERM and, when that does not help in 30 s, SIGKILL. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            _ = SendSignal(_process.Id, Terminate);
            using var limit = new CancellationTokenSource(EndLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    /// <summary>For a report that others read: files without this machine's folders, and no key.</summary>
    private static string Show(IReadOnlyList<string> command) => string.Join(' ', command.Select((word, n) =>
        n > 0 && command[n - 1] == "--key" ? "KEY" : word.StartsWith('/') ? Path.GetFileName(word) : word));

    private static ProcessStartInfo Describe(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? settings)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1));
        start.Environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return start;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int processId, int signal);
}
