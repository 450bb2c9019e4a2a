using System.Text;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>A <c>gateway.yaml</c> as it was read at one moment, right or wrong.</summary>
/// <param name="Name">The path as the operator wrote it, for messages.</param>
/// <param name="Hash">Stands for the file's bytes and the variables that it uses, and tells nothing about them.</param>
internal sealed record ApplySource(string Name, GatewayFileResult Result, string Hash)
{
    /// <exception cref="SettingsException">The file cannot be read; the message names it.</exception>
    public static async Task<ApplySource> ReadAsync(string path, SecretBox box, CancellationToken cancel)
    {
        try
        {
            return Read(path, await System.IO.File.ReadAllBytesAsync(path, cancel), box, Environment.GetEnvironmentVariable);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"{path} cannot be read: {refused.Message}");
        }
    }

    /// <param name="environment">The value of a variable, or null when it is not set.</param>
    public static ApplySource Read(string name, byte[] yaml, SecretBox box, Func<string, string?> environment)
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
        return new ApplySource(name, result, box.Mark(hashed.ToArray()));
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
