using System.Globalization;
using System.Security.Cryptography;
using Gateway.Admin.File;

namespace Gateway.Admin;

/// <summary>A file that a dataset names, as it was when the configuration was read.</summary>
/// <param name="Name">Relative to the YAML file, with slashes.</param>
/// <param name="At">The pattern that found it.</param>
internal sealed record FoundFile(string Name, string Path, byte[] Hash, FilePlace At);

/// <summary>
/// Finds the files of datasets and knows them by their hashes; their contents are read when a dataset needs them. Keeps
/// hashes for the next look, so that whoever looks every second does not read everything every second. Not for concurrent use.
/// </summary>
internal sealed class ApplyFiles(TimeProvider clock)
{
    public const int MaxFileBytes = 16 * 1_048_576;
    public const int MaxFiles = 10_000;
    public const long MaxTotalBytes = 256 * 1_048_576L;

    // Within this time a file can change again without a sign in its time of change.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private Dictionary<string, (long Length, DateTime ChangedAt, byte[] Hash)> _known = [];
    private Dictionary<string, (long Length, DateTime ChangedAt, byte[] Hash)> _seen = [];
    private long _totalBytes;

    /// <summary>The files of each dataset that names some, by the dataset's path in the file.</summary>
    public Dictionary<string, IReadOnlyList<FoundFile>> Find(GatewayFile file, string folder, List<FileError> errors)
    {
        (_seen, _totalBytes) = ([], 0);
        var found = new Dictionary<string, IReadOnlyList<FoundFile>>();
        foreach (var dataset in file.Workspaces.SelectMany(w => w.Datasets).Where(d => d.Files is not null))
        {
            found[dataset.At.Path] = Find(dataset, folder, errors);
        }

        _known = _seen;
        return found;
    }

    private List<FoundFile> Find(FileDataset dataset, string folder, List<FileError> errors)
    {
        var files = new Dictionary<string, FoundFile>();
        foreach (var pattern in dataset.Files!)
        {
            if (Names(folder, pattern, errors) is not { } names)
            {
                continue;
            }

            if (files.Count + names.Count > MaxFiles)
            {
                errors.Add(pattern.At.Error($"expected at most {MaxFiles} files in a dataset, got {files.Count + names.Count}"));
                continue;
            }

            foreach (var name in names.Where(n => !files.ContainsKey(n)))
            {
                if (Read(name, folder, pattern.At, errors) is { } file)
                {
                    files.Add(name, file);
                }
            }
        }

        return [.. files.Values];
    }

    private static List<string>? Names(string folder, FilePattern pattern, List<FileError> errors)
    {
        try
        {
            var names = FileGlob.Find(folder, pattern.Text);
            if (names is null)
            {
                errors.Add(pattern.At.Error($"expected a pattern for which at most {FileGlob.MaxSeen} files and folders must be looked at"));
            }
            else if (names.Count == 0)
            {
                errors.Add(pattern.At.Error($"there is no file {FileWords.Quote(pattern.Text)} in {folder}"));
                return null;
            }

            return names;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            errors.Add(pattern.At.Error($"cannot be looked for: {refused.Message}"));
            return null;
        }
    }

    private FoundFile? Read(string name, string folder, FilePlace at, List<FileError> errors)
    {
        var path = Path.Combine(folder, name);
        try
        {
            using var handle = System.IO.File.OpenHandle(path, options: FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(handle);
            _totalBytes += length;
            if (length > MaxFileBytes)
            {
                errors.Add(at.Error($"{FileWords.Quote(name)} has {Show(length)}, and a dataset's file at most {Show(MaxFileBytes)}"));
                return null;
            }

            if (_totalBytes > MaxTotalBytes)
            {
                // Said once, at the file that is too much.
                if (_totalBytes - length <= MaxTotalBytes)
                {
                    errors.Add(at.Error($"with {FileWords.Quote(name)} the files of all datasets have more than {Show(MaxTotalBytes)}; upload the larger ones instead"));
                }

                return null;
            }

            return new FoundFile(name, path, Hash(handle, path, length), at);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            errors.Add(at.Error($"{FileWords.Quote(name)} cannot be read: {refused.Message}"));
            return null;
        }
    }

    private byte[] Hash(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string path, long length)
    {
        var changedAt = System.IO.File.GetLastWriteTimeUtc(handle);
        if (!_known.TryGetValue(path, out var known) || (known.Length, known.ChangedAt) != (length, changedAt))
        {
            using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            known = (length, changedAt, SHA256.HashData(stream));
        }

        if (clock.GetUtcNow().UtcDateTime - changedAt > Settled)
        {
            _seen[path] = known;
        }

        return known.Hash;
    }

    private static string Show(long bytes) => bytes % 1_048_576 == 0
        ? $"{bytes / 1_048_576} MiB"
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_048_576.0:0.0} MiB");
}
