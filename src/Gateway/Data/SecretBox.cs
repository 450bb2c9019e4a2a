using System.Security.Cryptography;
using System.Text;

namespace Gateway.Data;

/// <summary>
/// Seals secrets for the database: AES-256-GCM, with what the secret belongs to as associated data, so that a sealed
/// value copied to another row does not open.
/// </summary>
internal sealed class SecretBox : IDisposable
{
    /// <summary>Length of the encryption key, in bytes.</summary>
    public const int KeyBytes = 32;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly AesGcm _aes;
    private readonly byte[] _markKey;

    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes.</exception>
    public SecretBox(byte[] key)
    {
        if (key.Length != KeyBytes)
        {
            throw new ArgumentException($"An encryption key has {KeyBytes} bytes.", nameof(key));
        }

        _aes = new AesGcm(key, TagBytes);
        _markKey = SHA256.HashData([.. "gateway-mark-key"u8, .. key]);
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData([.. "gateway-encryption-key"u8, .. key]))[..32];
    }

    /// <summary>Names the key without telling anything about it; kept in the database.</summary>
    public string Fingerprint { get; }

    /// <param name="owner">What the secret belongs to, such as <c>provider/openai</c>; must be the same to open it.</param>
    public byte[] Seal(string secret, string owner)
    {
        var text = Encoding.UTF8.GetBytes(secret);
        var box = new byte[NonceBytes + TagBytes + text.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        _aes.Encrypt(
            box.AsSpan(0, NonceBytes), text, box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(owner));
        return box;
    }

    /// <exception cref="CryptographicException">Sealed with another key, for another owner, or damaged.</exception>
    public Secret Open(byte[] box, string owner)
    {
        if (box.Length < NonceBytes + TagBytes)
        {
            throw new CryptographicException("A sealed secret is shorter than its own header.");
        }

        var text = new byte[box.Length - NonceBytes - TagBytes];
        _aes.Decrypt(
            box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes), text,
            Encoding.UTF8.GetBytes(owner));
        return new Secret(Encoding.UTF8.GetString(text));
    }

    /// <summary>Whether a sealed secret is this one. False too when it cannot be opened.</summary>
    public bool Holds(byte[] box, Secret secret, string owner)
    {
        try
        {
            return Open(box, owner).Equals(secret);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>
    /// The same for the same content and key. Who does not have the key cannot tell from it what the content may be, not
    /// even by trying.
    /// </summary>
    public string Mark(byte[] content) => Convert.ToHexStringLower(HMACSHA256.HashData(_markKey, content));

    public void Dispose() => _aes.Dispose();
}

/// <summary>What sealed secrets belong to, spelled once for those who seal and those who open.</summary>
internal static class SecretOwners
{
    public static string ProviderKey(string provider) => $"provider/{provider}";

    public static string ProviderHeaders(string provider) => $"provider-headers/{provider}";

    /// <summary>The web search's API key.</summary>
    public const string OutsideSearch = "outside/search";

    public static string WorkspaceSecret(string workspace, string name) => $"secret/{workspace}/{name}";
}
