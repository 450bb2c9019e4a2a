using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;

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
    public static async Task<SecretBox> OpenBoxAsync(GatewaySettings settings, GatewayDb db, CancellationToken cancel)
    {
        var known = await ReadAsync(db, FingerprintSetting, cancel);
        var path = Path.Combine(settings.AbsoluteDataDirectory, EncryptionFile);
        var text = settings.EncryptionKey.Length > 0 ? settings.EncryptionKey
            : File.Exists(path) ? (await File.ReadAllTextAsync(path, cancel)).Trim()
            : null;
        if (text is null && known is not null)
        {
            throw new SettingsException(
                $"The database holds secrets sealed with an encryption key that is not here. Set Gateway__EncryptionKey to it, or put it into {path}.");
        }

        text ??= await MakeAsync(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes)), cancel);
        var box = new SecretBox(Parse(text));

        // The first to come writes it; everybody reads what stands.
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO settings (name, value) VALUES ({FingerprintSetting}, {box.Fingerprint}) ON CONFLICT DO NOTHING", cancel);
        if (await ReadAsync(db, FingerprintSetting, cancel) != box.Fingerprint)
        {
            box.Dispose();
            throw new SettingsException(
                "Gateway__EncryptionKey is not the key that this database's secrets are sealed with. Set the one it was first started with.");
        }

        return box;
    }

    /// <summary>
    /// The hash of the global admin key, by <paramref name="hash"/>. Made by the first instance, unless the operator sets one.
    /// </summary>
    /// <param name="make">Makes a new key.</param>
    public static async Task<byte[]> AdminKeyHashAsync(
        GatewaySettings settings, GatewayDb db, Func<string> make, Func<string, byte[]> hash, CancellationToken cancel)
    {
        if (settings.AdminKey.Length > 0)
        {
            return hash(settings.AdminKey);
        }

        if (await ReadAsync(db, AdminHashSetting, cancel) is { } stored)
        {
            return Convert.FromHexString(stored);
        }

        var path = Path.Combine(settings.AbsoluteDataDirectory, AdminFile);
        var key = File.Exists(path) ? (await File.ReadAllTextAsync(path, cancel)).Trim() : make();
        var text = Convert.ToHexStringLower(hash(key));
        var isOurs = await db.Database.ExecuteSqlAsync(
            $"INSERT INTO settings (name, value) VALUES ({AdminHashSetting}, {text}) ON CONFLICT DO NOTHING", cancel) == 1;
        if (isOurs && !File.Exists(path))
        {
            await MakeAsync(path, key, cancel);
        }

        return Convert.FromHexString((await ReadAsync(db, AdminHashSetting, cancel))!);
    }

    private static async Task<string?> ReadAsync(GatewayDb db, string name, CancellationToken cancel) =>
        await db.Settings.AsNoTracking().Where(s => s.Name == name).Select(s => s.Value).SingleOrDefaultAsync(cancel);

    private static byte[] Parse(string text)
    {
        var key = new byte[SecretBox.KeyBytes + 1];
        return Convert.TryFromBase64String(text, key, out var length) && length == SecretBox.KeyBytes
            ? key[..length]
            : throw new SettingsException(
                $"Gateway__EncryptionKey must be {SecretBox.KeyBytes} bytes in base64, as 'openssl rand -base64 {SecretBox.KeyBytes}' makes them.");
    }

    /// <summary>Writes a new file that only its owner can read, before anything is in it.</summary>
    private static async Task<string> MakeAsync(string path, string text, CancellationToken cancel)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using var file = new StreamWriter(path, options);
            await file.WriteLineAsync(text.AsMemory(), cancel);
            return text;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{path} cannot be written: {refused.Message} Set Gateway__DataDirectory to a directory that can.");
        }
    }
}
