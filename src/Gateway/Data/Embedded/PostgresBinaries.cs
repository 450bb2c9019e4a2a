using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Data.Embedded;

/// <summary>A directory with <c>postgres</c>, <c>initdb</c> and <c>pg_ctl</c> of one version.</summary>
/// <param name="Major">15 for 15.18; data of one major version cannot be read by another.</param>
internal sealed partial record PostgresBinaries(string Directory, int Major, string Version)
{
    public const int OldestMajor = 15;

    private const string WayOn =
        "Install PostgreSQL 15 or newer (on Debian and Ubuntu: the package 'postgresql'), "
        + "or set ConnectionStrings__Gateway to a server that runs elsewhere.";

    private static readonly string[] Programs = ["postgres", "initdb", "pg_ctl"];

    /// <summary>Where servers are installed. A star stands for any rest of a directory's name.</summary>
    private static readonly string[] UsualPlaces =
    [
        "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin", "/usr/libexec/postgresql*",
        "/opt/homebrew/opt/postgresql*/bin", "/opt/homebrew/bin", "/usr/local/opt/postgresql*/bin",
        "/usr/local/pgsql/bin", "/usr/local/bin", "/Library/PostgreSQL/*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin", "/usr/bin",
    ];

    public string Program(string name) => Path.Combine(Directory, name);

    /// <summary>All servers of this machine: those on PATH in its order, then those of the usual places, newest first.</summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> FindAllAsync(CancellationToken cancel)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var onPath = await ProbeAsync(path, cancel);
        var elsewhere = await ProbeAsync(UsualPlaces.SelectMany(Expand), cancel);

        return [.. onPath.Concat(elsewhere.OrderByDescending(found => found.Major)).DistinctBy(found => found.Directory)];
    }

    /// <summary>The one to use: of the cluster's own version, or for a new cluster the first that is new enough.</summary>
    /// <param name="clusterMajor">Null when the cluster is yet to be made.</param>
    public static PostgresBinaries Choose(IReadOnlyList<PostgresBinaries> found, int? clusterMajor, string cluster)
    {
        var installed = string.Join(", ", found.Select(each => $"{each.Version} in {each.Directory}"));
        if (found.FirstOrDefault(each => each.Major >= OldestMajor && (clusterMajor ?? each.Major) == each.Major)
            is { } fitting)
        {
            return fitting;
        }

        throw new EmbeddedPostgresException(clusterMajor switch
        {
            < OldestMajor =>
                $"The database in '{cluster}' is of PostgreSQL {clusterMajor}; the gateway needs {OldestMajor} or newer. "
                + "Upgrade it with pg_upgrade, or set ConnectionStrings__Gateway to another server.",
            not null =>
                $"The database in '{cluster}' is of PostgreSQL {clusterMajor}, and this machine has "
                + $"{(installed.Length == 0 ? "no PostgreSQL server" : installed)}. Nothing was changed. "
                + $"Install PostgreSQL {clusterMajor}, or upgrade the directory with pg_upgrade.",
            null when installed.Length > 0 =>
                $"The PostgreSQL of this machine is too old ({installed}). {WayOn}",
            null => $"No PostgreSQL server was found on PATH or in the usual places. {WayOn}",
        });
    }

    /// <summary>Reads <c>postgres --version</c>; null for text that is something else.</summary>
    public static (int Major, string Version)? ParseVersion(string text) =>
        VersionPattern().Match(text) is { Success: true } match
            && int.TryParse(match.Groups["major"].Value, CultureInfo.InvariantCulture, out var major)
                ? (major, match.Groups["version"].Value)
                : null;

    private static async Task<List<PostgresBinaries>> ProbeAsync(
        IEnumerable<string> directories, CancellationToken cancel)
    {
        var found = new List<PostgresBinaries>();
        foreach (var directory in directories.Select(Resolve).OfType<string>().Distinct())
        {
            var answer = await new ServerProcess(user: null)
                .RunAsync(Path.Combine(directory, "postgres"), ["--version"], cancel);
            if (answer.ExitCode == 0 && ParseVersion(answer.Output) is var (major, version))
            {
                found.Add(new PostgresBinaries(directory, major, version));
            }
        }

        return found;
    }

    /// <summary>Package managers link single programs into a common directory; the others lie beside the link's target.</summary>
    private static string? Resolve(string directory)
    {
        var server = new FileInfo(Path.Combine(directory, Programs[0]));
        if (!server.Exists)
        {
            return null;
        }

        var target = server.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? server.FullName;
        var home = UnixFiles.RealPath(Path.GetDirectoryName(target)!);
        return Programs.All(name => File.Exists(Path.Combine(home, name))) ? home : null;
    }

    private static IEnumerable<string> Expand(string place)
    {
        var star = place.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return [place];
        }

        var parent = place[..place.LastIndexOf('/', star)];
        var rest = place.IndexOf('/', star);
        var pattern = place[(parent.Length + 1)..(rest < 0 ? place.Length : rest)];
        return System.IO.Directory.Exists(parent)
            ? System.IO.Directory.EnumerateDirectories(parent, pattern).Select(each => rest < 0 ? each : each + place[rest..])
            : [];
    }

    [GeneratedRegex(@"\(PostgreSQL\) (?<version>(?<major>\d+)[^\s]*)")]
    private static partial Regex VersionPattern();
}
