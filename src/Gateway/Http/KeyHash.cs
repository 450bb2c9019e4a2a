using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Http;

/// <summary>SHA-256 of a key: all that the gateway keeps of it. It cannot be printed.</summary>
internal readonly record struct KeyHash(ulong A, ulong B, ulong C, ulong D)
{
    public const int Bytes = 32;

    public static KeyHash Of(ReadOnlySpan<char> key)
    {
        Span<byte> text = stackalloc byte[512];
        Span<byte> hash = stackalloc byte[Bytes];
        if (Encoding.UTF8.TryGetBytes(key, text, out var length))
        {
            SHA256.HashData(text[..length], hash);
        }
        else
        {
            SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString()), hash);
        }

        return From(hash);
    }

    public static KeyHash From(ReadOnlySpan<byte> hash)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(hash[..Bytes]);
        return new KeyHash(words[0], words[1], words[2], words[3]);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Bytes];
        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        (words[0], words[1], words[2], words[3]) = (A, B, C, D);
        return bytes;
    }

    public override string ToString() => "[key hash]";
}

/// <summary>Makes keys and shows them without telling them.</summary>
internal static class KeyText
{
    private const string Prefix = "sk-gw-";

    /// <summary>A new key: <c>sk-gw-</c> and 32 random bytes in URL-safe base64.</summary>
    public static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether a text looks like a key of ours, and like nothing else of ours.</summary>
    public static bool HasForm(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    public static string Ending(string key) => key.Length >= 12 ? key[^4..] : "";

    /// <summary>Enough to recognise a key one holds and nothing to someone who does not: <c>sk-gw-…abcd</c>.</summary>
    public static string Shown(string key) =>
        (HasForm(key) ? Prefix : "") + "…"
        + string.Concat(Ending(key).Where(c => c is >= '!' and <= '~'));
}
