using System.Globalization;

namespace Gateway.Benchmarks.Processes;

/// <summary>What the kernel counts of a process and its children (nginx works in one).</summary>
internal static class ProcessFigures
{
    /// <summary>The kernel's unit of processor time; 100 on every Linux that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Processor time so far, user and system together.</summary>
    public static TimeSpan ProcessorTime(int process) =>
        TimeSpan.FromSeconds(Family(process).Sum(Ticks) / TicksPerSecond);

    /// <summary>Resident memory in MiB.</summary>
    public static double ResidentMebibytes(int process) => Family(process).Sum(ResidentKibibytes) / 1024.0;

    private static IEnumerable<int> Family(int process)
    {
        yield return process;
        foreach (var task in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            var children = File.ReadAllText(Path.Combine(task, "children"));
            foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                foreach (var member in Family(int.Parse(child, CultureInfo.InvariantCulture)))
                {
                    yield return member;
                }
            }
        }
    }

    private static long Ticks(int process)
    {
        var text = File.ReadAllText($"/proc/{process}/stat");
        // The second field is the program's name in brackets and may hold anything; proc(5) numbers utime 14 and stime 15.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[14 - 3], CultureInfo.InvariantCulture) + long.Parse(fields[15 - 3], CultureInfo.InvariantCulture);
    }

    private static long ResidentKibibytes(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
