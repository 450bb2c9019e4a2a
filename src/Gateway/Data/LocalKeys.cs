using System.Security.Cryptography;
using Npgsql;

namespace Gateway.Data;

/// <summary>
/// The installation's own keys: the encryption key and the global admin key. Set by the operator, or made once and kept
/// in the data directory, readable by its owner alone.
/// </summary>
internal static class LocalKeys
{
    private const string EncryptionFile = "encryption-key";
    private const string AdminFile = "admin-key";
    private const string FingerprintSetting = "encryption-key-fingerprint";
    private const string AdminHashSetting = "admin-key-hash";

    /// <summary>
    /// Opens the box with the operator's key, or the one in the data directory. One is made only while the database has
    /// never seen any: another key would leave every secret in it unreadable.
    /// </summary>
    /// <exception cref="SettingsException">The key is missing, malformed, or not the one the database was sealed with.</exception>
    public static async Task<SecretBox> OpenBoxAsync(GatewaySettings settings, NpgsqlDataSource database, CancellationToken cancel)
    {
        var known = await SettingTable.ReadAsync(database, FingerprintSetting, cancel);
        var path = Path.Combine(settings.AbsoluteDataDirectory, EncryptionFile);
        var (text, source, isMade) = settings.EncryptionKey.Length > 0
            ? (settings.EncryptionKey, "Gateway__EncryptionKey", false)
            : (await ReadFileAsync(path, cancel), path, false);
        if (text is null && known is not null)
        {
            throw new SettingsException(NotHere(path));
        }

        if (text is null)
        {
            (text, isMade) = await MakeAsync(
                path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes)), cancel);
        }

        var box = new SecretBox(Parse(text, source));

        if (known is null)
        {
            // The first to come writes it; everybody reads what stands.
            await SettingTable.AddAsync(database, FingerprintSetting, box.Fingerprint, cancel);
            known = await SettingTable.ReadAsync(database, FingerprintSetting, cancel);
        }

        if (known == box.Fingerprint)
        {
            return box;
        }

        box.Dispose();
        if (isMade)
        {
            // Another gateway was first in the same moment. A key that never sealed anything must not be found later.
            File.Delete(path);
            throw new SettingsException(NotHere(path));
        }

        throw new SettingsException(
            $"{source} is not the key that this database's secrets are sealed with. Set Gateway__EncryptionKey to the one it was first started with.");
    }

    /// <summary>
    /// The hash of the global admin key, by <paramref name="hash"/>. Made by the first instance, unless the operator sets one.
    /// </summary>
    /// <param name="make">Makes a new key.</param>
    public static async Task<byte[]> AdminKeyHashAsync(
        GatewaySettings settings, NpgsqlDataSource database, Func<string> make, Func<string, byte[]> hash, CancellationToken cancel)
    {
        if (settings.AdminKey.Length > 0)
        {
            return hash(settings.AdminKey);
        }

        if (await SettingTable.ReadAsync(database, AdminHashSetting, cancel) is { } stored)
        {
            return Convert.FromHexString(stored);
        }

        // The file comes first: a key whose hash stands in the database and which nobody has would lock everybody out.
        var path = Path.Combine(settings.AbsoluteDataDirectory, AdminFile);
        var (key, isMade) = await ReadFileAsync(path, cancel) is { } there ? (there, false) : await MakeAsync(path, make(), cancel);
        var text = Convert.ToHexStringLower(hash(key));
        await SettingTable.AddAsync(database, AdminHashSetting, text, cancel);
        var standing = (await SettingTable.ReadAsync(database, AdminHashSetting, cancel))!;
        if (isMade && standing != text)
        {
            File.Delete(path);
        }

        return Convert.FromHexString(standing);
    }

    private static string NotHere(string path) =>
        $"The database's secrets are sealed with an encryption key that is not here. Set Gateway__EncryptionKey to it, or put it into {path}.";

    private static byte[] Parse(string text, string source)
    {
        var key = new byte[SecretBox.KeyBytes + 1];
        return Convert.TryFromBase64String(text, key, out var length) && length == SecretBox.KeyBytes
            ? key[..length]
            : throw new SettingsException(
                $"{source} must hold an encryption key (Gateway__EncryptionKey): {SecretBox.KeyBytes} bytes in base64, as 'openssl rand -base64 {SecretBox.KeyBytes}' makes them.");
    }

    /// <summary>Null when there is no such file.</summary>
    private static async Task<string?> ReadFileAsync(string path, CancellationToken cancel)
    {
        try
        {
            return (await File.ReadAllTextAsync(path, cancel)).Trim();
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{path} cannot be read: {refused.Message}");
        }
    }

    /// <summary>
    /// Holds a lock until it is disposed; its file goes with it, which is safe since whoever comes later looks first. Moving a file without overwriting looks first and moves then, so two that do it in
    /// the same moment would both take theirs for the one that stands.
    /// </summary>
    private static async Task<FileStream> TakeTurnAsync(string path, CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(
                    path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (File.Exists(path) && tries < 500)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancel);
            }
        }
    }

    /// <summary>
    /// Makes a file that only its owner can read, and that is whole from the moment it has its name: another gateway on
    /// the same directory may be doing this too.
    /// </summary>
    /// <returns>What the file holds, and whether it was made here.</returns>
    private static async Task<(string Text, bool IsMade)> MakeAsync(string path, string text, CancellationToken cancel)
    {
        var draft = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var turn = await TakeTurnAsync($"{path}.making", cancel);
            if (await ReadFileAsync(path, cancel) is { Length: > 0 } there)
            {
                return (there, false);
            }

            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using (var file = new StreamWriter(draft, options))
            {
                await file.WriteLineAsync(text.AsMemory(), cancel);
            }

            File.Move(draft, path, overwrite: false);
            return (text, true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(draft))
            {
                File.Delete(draft);
            }

            return await ReadFileAsync(path, cancel) is { Length: > 0 } other
                ? (other, false)
                : throw new SettingsException($"{path} cannot be written: {refused.Message} Set Gateway__DataDirectory to a directory that can.");
        }
    }
}
