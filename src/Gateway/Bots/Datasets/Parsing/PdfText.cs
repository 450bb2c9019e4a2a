using System.Diagnostics;
using System.Text;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>
/// The text of a PDF, by <c>pdftotext</c> of poppler-utils in a process of its own: a file made to break a parser breaks that
/// process and not the gateway. It gets the file on its input, no argument of anybody's, and bounded time, memory and output.
/// </summary>
internal static class PdfText
{
    private const int NotFound = 127;
    private const int MostCharacters = ParseLimits.RecordCharacters;

    /// <summary>At a time, for the whole gateway: each may take its share of memory and processor time.</summary>
    private static readonly SemaphoreSlim Places = new(2);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(90);

    // 2 GiB of memory, 60 s of processor time. The shell becomes pdftotext; where there is none it ends with 127.
    private const string Command = "ulimit -v 2097152; ulimit -t 60; exec pdftotext -q -enc UTF-8 - -";

    /// <exception cref="UnreadableFileException">pdftotext is not installed, or cannot read the file.</exception>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public static async Task<string> ReadAsync(ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        if (!content.Span.StartsWith("%PDF-"u8))
        {
            throw new UnreadableFileException("it is no PDF.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Places.WaitAsync(cancel);
        limit.CancelAfter(Longest);
        try
        {
            return await RunAsync(content, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UnreadableFileException($"the PDF could not be read within {Longest.TotalSeconds:0} s.");
        }
        finally
        {
            Places.Release();
        }
    }

    private static async Task<string> RunAsync(ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        using var process = Start();
        try
        {
            var writing = WriteAsync(process, content, cancel);
            var text = await ReadAsync(process.StandardOutput, cancel);
            await writing;
            await process.WaitForExitAsync(cancel);
            return process.ExitCode switch
            {
                0 => text,
                NotFound => throw NotInstalled(),
                3 => throw new UnreadableFileException("the PDF is protected against reading its text."),
                _ => throw new UnreadableFileException("the PDF is damaged, or needs a password, too much memory or too much time."),
            };
        }
        finally
        {
            End(process);
        }
    }

    private static Process Start()
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
        };
        var path = Environment.GetEnvironmentVariable("PATH");
        // Nothing of the gateway's settings, which hold secrets.
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        try
        {
            var process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            return process;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw NotInstalled();
        }
    }

    private static async Task WriteAsync(Process process, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(content, cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all; its exit code says why.
        }
    }

    private static async Task<string> ReadAsync(StreamReader output, CancellationToken cancel)
    {
        var text = new StringBuilder();
        var buffer = new char[16 * 1024];
        while (await output.ReadAsync(buffer, cancel) is var read && read > 0)
        {
            text.Append(buffer, 0, read);
            if (text.Length > MostCharacters)
            {
                throw new UnreadableFileException($"the text of the PDF has more than {MostCharacters} characters.");
            }
        }

        return text.ToString();
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    private static UnreadableFileException NotInstalled() => new(
        "PDFs need the program pdftotext where the gateway runs. Install the package poppler-utils and try again.");
}
