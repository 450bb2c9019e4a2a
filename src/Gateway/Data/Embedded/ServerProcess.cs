using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Gateway.Data.Embedded;

/// <param name="Output">Standard output, then standard error.</param>
internal sealed record CommandResult(int ExitCode, string Output);

/// <summary>
/// Runs commands as the database server's user, in a session of their own: Ctrl-C in the gateway's terminal goes to
/// the terminal's session, and must not stop the database before the gateway has finished with it.
/// </summary>
/// <param name="user">Null to run as the gateway's own user.</param>
internal sealed class ServerProcess(string? user)
{
    private static readonly TimeSpan InterruptLimit = TimeSpan.FromSeconds(5);

    /// <summary>Postgres needs these; a provider's key or the gateway's own settings are none of its business.</summary>
    private static readonly string[] InheritedVariables =
        ["PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    private static readonly string? NewSession = FindOnPath("setsid");

    public string? User => user;

    /// <summary>Runs to the end. Cancelled, the command is interrupted as Ctrl-C would, so that it can tidy up.</summary>
    public async Task<CommandResult> RunAsync(string file, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        using var process = new Process { StartInfo = Describe(file, arguments) };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new EmbeddedPostgresException(
                $"'{file}' could not be run{(user is null ? "" : $" as user '{user}'")}: {e.Message}", e);
        }

        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            await InterruptAsync(process);
            throw;
        }

        return new CommandResult(process.ExitCode, await output + await errors);
    }

    /// <summary>Runs a command that has to succeed.</summary>
    public async Task<string> RequireAsync(string file, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        var result = await RunAsync(file, arguments, cancel);
        return result.ExitCode == 0
            ? result.Output
            : throw new EmbeddedPostgresException($"'{file} {string.Join(' ', arguments)}' failed: {result.Output.Trim()}");
    }

    private static string? FindOnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);

    private ProcessStartInfo Describe(string file, IReadOnlyList<string> arguments)
    {
        // Where there is no setsid (macOS), pg_ctl still gives the server itself its own session.
        var start = NewSession is null
            ? new ProcessStartInfo(file, arguments)
            : new ProcessStartInfo(NewSession, [file, .. arguments]);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = "/";
        if (user is not null)
        {
            start.UserName = user;
        }

        start.Environment.Clear();
        foreach (var name in InheritedVariables)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        // What these programs say is matched and shown: one language.
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    private static async Task InterruptAsync(Process process)
    {
        // Not Process.Kill: pg_ctl must get the chance to take the server that it has just started along.
        var id = process.Id.ToString(CultureInfo.InvariantCulture);
        using var interrupt = Process.Start("/bin/sh", ["-c", "kill -INT \"$1\" 2>/dev/null", "sh", id]);
        await interrupt.WaitForExitAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(InterruptLimit);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
    }
}
