using System.Globalization;
using System.Security.Cryptography;

namespace Gateway.Data.Embedded;

/// <summary>
/// The cluster in <c>&lt;data&gt;/postgres</c> and what lies beside it. An existing cluster is never written over: a new
/// one is made in a sibling directory and renamed into place when it is complete.
/// </summary>
internal sealed class ClusterDirectory
{
    public const string SuperUser = "gateway";

    private const string UnfinishedPrefix = "postgres.new-";

    public ClusterDirectory(string dataDirectory)
    {
        Data = UnixFiles.RealPath(dataDirectory);
        Path = Beside("postgres");
    }

    public string Data { get; }

    public string Path { get; }

    public string PostmasterFilePath => System.IO.Path.Combine(Path, "postmaster.pid");

    public string LogFile => Beside("postgres.log");

    public string LocksDirectory => Beside("locks");

    /// <summary>Held by the one gateway that owns the directory.</summary>
    public string OwnerLock => Beside("locks/owner");

    /// <summary>Held while somebody looks whether the server runs, starts it or stops it.</summary>
    public string StartLock => Beside("locks/start");

    /// <summary>Shared by all that use the running server; who can have it alone is the last one.</summary>
    public string UsersLock => Beside("locks/users");

    public string PasswordFile => Beside("postgres.password");

    private string PortFile => Beside("postgres.port");

    private string VersionFile => System.IO.Path.Combine(Path, "PG_VERSION");

    /// <summary>Whether there is a cluster. Refuses a directory with anything else in it.</summary>
    public bool Exists()
    {
        if (File.Exists(VersionFile))
        {
            return true;
        }

        // Throws for a directory that this user may not read: then there is something, and it is not ours.
        if (File.Exists(Path) || (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any()))
        {
            throw new EmbeddedPostgresException(
                $"'{Path}' is not empty and not a Postgres cluster; the gateway leaves it as it is. "
                + "Move it away, or set Gateway__DataDirectory to another directory.");
        }

        return false;
    }

    public async Task<int> ReadMajorAsync(CancellationToken cancel)
    {
        var text = (await File.ReadAllTextAsync(VersionFile, cancel)).Trim();
        return int.TryParse(text.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            ? major
            : throw new EmbeddedPostgresException($"'{VersionFile}' is damaged: '{text}' is no version.");
    }

    public async Task<string> ReadPasswordAsync(CancellationToken cancel)
    {
        try
        {
            return (await File.ReadAllTextAsync(PasswordFile, cancel)).Trim();
        }
        catch (FileNotFoundException e)
        {
            throw new EmbeddedPostgresException(
                $"There is a database in '{Path}', but its password is missing. Restore '{PasswordFile}' from a backup.", e);
        }
    }

    /// <summary>The port of the last start; null when there was none.</summary>
    public async Task<int?> ReadPortAsync(CancellationToken cancel) =>
        File.Exists(PortFile)
        && int.TryParse(await File.ReadAllTextAsync(PortFile, cancel), CultureInfo.InvariantCulture, out var port)
        && port is > 0 and < 65536
            ? port
            : null;

    public Task WritePortAsync(int port, CancellationToken cancel) =>
        UnixFiles.WritePrivateAsync(PortFile, port.ToString(CultureInfo.InvariantCulture), cancel);

    /// <summary>Makes the cluster. The caller holds the start lock and has seen that there is none.</summary>
    public async Task CreateAsync(PostgresBinaries binaries, ServerProcess server, CancellationToken cancel)
    {
        RemoveUnfinished();
        if (!File.Exists(PasswordFile))
        {
            // Written before the cluster is in place: a crash between the two leaves a password too many, never one too few.
            await UnixFiles.WritePrivateAsync(PasswordFile, RandomNumberGenerator.GetHexString(48, lowercase: true), cancel);
        }

        var unfinished = Beside(UnfinishedPrefix + RandomNumberGenerator.GetHexString(8, lowercase: true));
        var cluster = System.IO.Path.Combine(unfinished, "cluster");
        var password = System.IO.Path.Combine(unfinished, "password");
        try
        {
            UnixFiles.CreateDirectory(unfinished, isPassable: false);
            await UnixFiles.WritePrivateAsync(password, await ReadPasswordAsync(cancel), cancel);
            await ServerUser.GiveAsync(server, password, cancel);
            await ServerUser.GiveAsync(server, unfinished, cancel);

            var made = await server.RunAsync(binaries.Program("initdb"),
                ["-D", cluster, $"--username={SuperUser}", $"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8",
                 "--auth-host=scram-sha-256", "--auth-local=scram-sha-256", "--no-instructions"], cancel);
            if (made.ExitCode != 0)
            {
                throw new EmbeddedPostgresException(Explain($"The database could not be made in '{Path}'", made.Output));
            }

            if (Directory.Exists(Path))
            {
                Directory.Delete(Path);
            }

            Directory.Move(cluster, Path);
        }
        finally
        {
            RemoveUnfinished();
        }
    }

    /// <summary>A failure in one paragraph, with what the server's programs said last and, where it is plain, the way on.</summary>
    public string Explain(string what, string output)
    {
        var said = string.Join(" ", output.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(6));
        return output.Contains("No space left on device", StringComparison.Ordinal)
            ? $"{what}: the disk that holds '{Data}' is full. No data is lost; free some space and start again."
            : $"{what}: {said.Trim()}";
    }

    private void RemoveUnfinished()
    {
        foreach (var left in Directory.EnumerateDirectories(Data, UnfinishedPrefix + "*"))
        {
            Directory.Delete(left, recursive: true);
        }
    }

    private string Beside(string name) => System.IO.Path.Combine(Data, name);
}
