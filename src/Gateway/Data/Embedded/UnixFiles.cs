namespace Gateway.Data.Embedded;

/// <summary>Files and directories with the modes that a database server insists on.</summary>
internal static class UnixFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Others may pass through but not list: the server's user, who owns only the cluster, has to get there.
    private const UnixFileMode Passable =
        OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Creates the missing directories of the path; those that exist keep their mode.</summary>
    public static void CreateDirectory(string path, bool isPassable)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException();
        }

        Directory.CreateDirectory(path, isPassable ? Passable : OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>Opens or creates a file that only its owner can read.</summary>
    public static FileStream OpenPrivate(string path, FileMode mode, FileShare share)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException();
        }

        return new FileStream(path, new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = share,
            UnixCreateMode = OwnerOnly,
        });
    }

    /// <summary>Writes a file that only its owner can read, whole or not at all.</summary>
    public static async Task WritePrivateAsync(string path, string text, CancellationToken cancel)
    {
        var unfinished = path + ".new";
        File.Delete(unfinished);
        await using (var stream = OpenPrivate(unfinished, FileMode.CreateNew, FileShare.None))
        await using (var writer = new StreamWriter(stream))
        {
            await writer.WriteAsync(text.AsMemory(), cancel);
            await writer.FlushAsync(cancel);
            stream.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>The path without symbolic links, so that two names of one directory compare equal.</summary>
    public static string RealPath(string path)
    {
        var real = Path.GetPathRoot(Path.GetFullPath(path))!;
        foreach (var part in Path.GetFullPath(path)[real.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = new DirectoryInfo(Path.Combine(real, part));
            real = next.LinkTarget is null
                ? next.FullName
                : RealPath(next.ResolveLinkTarget(returnFinalTarget: true)!.FullName);
        }

        return real;
    }
}
