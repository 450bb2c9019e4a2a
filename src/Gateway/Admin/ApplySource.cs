using System.Text;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>A <c>gateway.yaml</c> and the files that its datasets name, as they were at one moment, right or wrong.</summary>
/// <param name="Name">The path as the operator wrote it, for messages.</param>
/// <param name="Files">The files of datasets, by the dataset's path in the YAML.</param>
/// <param name="Hash">Stands for the bytes of all of them and the variables that are used, and tells nothing about them.</param>
internal sealed record ApplySource(
    string Name, GatewayFileResult Result, IReadOnlyDictionary<string, IReadOnlyList<FoundFile>> Files, string Hash)
{
    /// <param name="files">Kept by whoever reads the same file again and again.</param>
    /// <exception cref="SettingsException">The file cannot be read; the message names it.</exception>
    public static async Task<ApplySource> ReadAsync(string path, SecretBox box, ApplyFiles files, CancellationToken cancel)
    {
        try
        {
            return Read(path, await System.IO.File.ReadAllBytesAsync(path, cancel), box, files, Environment.GetEnvironmentVariable);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"{path} cannot be read: {refused.Message}");
        }
    }

    /// <param name="environment">The value of a variable, or null when it is not set.</param>
    public static ApplySource Read(string name, byte[] yaml, SecretBox box, ApplyFiles files, Func<string, string?> environment)
    {
        // A credential that changed in the environment alone is a change too: what was looked up goes into the hash.
        var hashed = new MemoryStream();
        Add(hashed, yaml);
        var result = GatewayFileReader.Read(yaml, variable =>
        {
            var value = environment(variable);
            Add(hashed, Encoding.UTF8.GetBytes(variable));
            Add(hashed, value is null ? null : Encoding.UTF8.GetBytes(value));
            return value;
        });
        if (result.File is not { } file)
        {
            return new ApplySource(name, result, new Dictionary<string, IReadOnlyList<FoundFile>>(), box.Mark(hashed.ToArray()));
        }

        var errors = new List<FileError>();
        var found = files.Find(file, Path.GetDirectoryName(Path.GetFullPath(name))!, errors);
        foreach (var one in found.SelectMany(dataset => dataset.Value))
        {
            Add(hashed, Encoding.UTF8.GetBytes(one.Name));
            Add(hashed, one.Hash);
        }

        return new ApplySource(
            name, errors.Count == 0 ? result : new GatewayFileResult(null, [.. errors.OrderBy(e => e.Line)]), found, box.Mark(hashed.ToArray()));
    }

    /// <summary>As compilers write it, so that editors and terminals can jump to the line.</summary>
    public string Describe(FileError error)
    {
        var place = error.Line == 0 ? Name : $"{Name}:{error.Line}";
        return error.Path.Length == 0 ? $"{place}: {error.Message}" : $"{place}: {error.Path}: {error.Message}";
    }

    // The length goes first, or two texts could trade characters unseen.
    private static void Add(MemoryStream hashed, byte[]? bytes)
    {
        hashed.Write(BitConverter.GetBytes(bytes?.Length ?? -1));
        hashed.Write(bytes);
    }
}
