using System.Collections;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>Node.js for the tests: its packages, and scripts that print JSON lines.</summary>
internal static class Node
{
    private static readonly SemaphoreSlim Installing = new(1);

    /// <summary>The folder with <c>package.json</c> and the scripts.</summary>
    public static string Folder { get; } = Repository.PathOf("tests", "Gateway.Tests", "Node");

    /// <summary>Installs the locked packages unless they are there. May be called concurrently.</summary>
    /// <exception cref="InvalidOperationException">No Node, or <c>npm ci</c> failed; says what to do.</exception>
    public static async Task EnsureReadyAsync(CancellationToken cancel)
    {
        await Installing.WaitAsync(cancel);
        try
        {
            // npm writes this file last, so half an installation is not taken for a whole one.
            var marker = Path.Combine(Folder, "node_modules", ".package-lock.json");
            if (File.Exists(marker) && File.GetLastWriteTimeUtc(marker) >= File.GetLastWriteTimeUtc(Path.Combine(Folder, "package.json")))
            {
                return;
            }

            // Whoever needs a proxy or a registry of their own has that in variables.
            var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(variable => (string)variable.Key, variable => (string)variable.Value!);
            var result = await RunAsync("npm", ["ci", "--no-audit", "--no-fund"], TimeSpan.FromMinutes(3), environment, cancel);
            if (result.ExitCode != 0)
            {
                throw new InvalidOperationException($"'npm ci' in {Folder} failed: {result}");
            }

            File.SetLastWriteTimeUtc(marker, DateTime.UtcNow);
        }
        finally
        {
            Installing.Release();
        }
    }

    /// <summary>Runs a script below <see cref="Folder"/> and answers with the JSON lines it printed.</summary>
    /// <exception cref="InvalidOperationException">It ended with another exit code than 0; holds its output.</exception>
    public static async Task<IReadOnlyList<JsonNode>> RunScriptAsync(
        string script, IReadOnlyDictionary<string, string> environment, CancellationToken cancel)
    {
        await EnsureReadyAsync(cancel);
        var result = await RunAsync("node", [script], TimeSpan.FromSeconds(120), environment, cancel);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{script}: {result}");
        }

        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static async Task<CommandResult> RunAsync(
        string command, string[] arguments, TimeSpan limit, IReadOnlyDictionary<string, string>? environment, CancellationToken cancel)
    {
        try
        {
            return await ChildProcess.RunAsync(command, arguments, limit, environment, Folder, cancel);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(
                $"These tests need Node.js 20 or newer with npm, and '{command}' could not be started: {e.Message}. " +
                "Install it (Debian, Ubuntu: apt-get install nodejs npm).", e);
        }
    }
}
