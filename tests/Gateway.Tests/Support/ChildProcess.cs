using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Tests.Support;

/// <summary>What a finished command left behind.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"exit code {ExitCode}\n--- stdout\n{Output}\n--- stderr\n{Errors}";
}

/// <summary>A child process with a clean environment, its output kept for failure messages.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Interrupt = 2;
    private const int MessageCharacters = 6_000;

    /// <summary>Of each stream, the newest: a run of half an hour writes more than anybody reads.</summary>
    private const int MostCharacters = 64 * 1_048_576;

    // Whatever else the developer's shell holds (OPENAI_API_KEY, HTTP_PROXY, ConnectionStrings__Gateway …) would change
    // what is tested.
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "TZ", "DOTNET_ROOT", "DOTNET_CLI_HOME", "NUGET_PACKAGES"];

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly Lock _gate = new();

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public StreamWriter Input => _process.StandardInput;

    public string Output => Read(_output);

    public string Errors => Read(_errors);

    /// <summary>The end of both streams, for a failure message.</summary>
    public string LastWords => $"--- stdout\n{EndOf(Output)}\n--- stderr\n{EndOf(Errors)}";

    /// <param name="environment">Added to the few variables that are inherited.</param>
    /// <param name="onLine">Called with each line of stdout, from a pool thread.</param>
    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        string? workingDirectory = null, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? string.Empty,
        };
        start.Environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += (_, line) => child.Keep(child._output, line.Data, onLine);
        child._process.ErrorDataReceived += (_, line) => child.Keep(child._errors, line.Data, null);
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a command to its end, killing it after <paramref name="limit"/>.</summary>
    /// <exception cref="TimeoutException">It did not end in time; the message holds what it had printed.</exception>
    public static async Task<CommandResult> RunAsync(
        string file, IEnumerable<string> arguments, TimeSpan limit,
        IReadOnlyDictionary<string, string>? environment = null, string? workingDirectory = null,
        CancellationToken cancel = default)
    {
        await using var child = Start(file, arguments, environment, workingDirectory);
        child.Input.Close();
        if (!await child.WaitAsync(limit, cancel))
        {
            throw new TimeoutException($"{file} did not end within {limit.TotalSeconds} s.\n{child.LastWords}");
        }

        return new CommandResult(child.ExitCode, child.Output, child.Errors);
    }

    /// <summary>Waits for the end, with all output read. False when the limit came first.</summary>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancel = default)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timed.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(timed.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>SIGTERM: asks it to end. Does nothing to a process that has ended.</summary>
    public void AskToEnd() => Send(Terminate);

    /// <summary>SIGINT, as Ctrl-C sends it.</summary>
    public void PressControlC() => Send(Interrupt);

    /// <summary>SIGKILL: it learns nothing of it, and its own children live on.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await WaitAsync(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    /// <summary>Sends a signal to any process by id; used for children of children. False when there is none.</summary>
    public static bool Signal(int processId, int signal) => SendSignal(processId, signal) == 0;

    private static string EndOf(string text) => text.Length > MessageCharacters ? "…" + text[^MessageCharacters..] : text;

    private void Send(int signal)
    {
        if (!_process.HasExited)
        {
            Signal(_process.Id, signal);
        }
    }

    private void Keep(StringBuilder kept, string? line, Action<string>? onLine)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            kept.AppendLine(line);
            if (kept.Length > MostCharacters)
            {
                kept.Remove(0, MostCharacters / 2);
            }
        }

        onLine?.Invoke(line);
    }

    private string Read(StringBuilder kept)
    {
        lock (_gate)
        {
            return kept.ToString();
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int processId, int signal);
}
