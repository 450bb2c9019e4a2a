using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.ChatKit.Sessions;

/// <summary>
/// The client secret of a session: <c>ek_gw-</c>, then its workspace and 32 random bytes in URL-safe base64. The workspace is in
/// it so that the look-up carries it; it tells a browser nothing else.
/// </summary>
internal static class SessionSecret
{
    private const string Prefix = "ek_gw-";
    private const int WorkspaceBytes = 16;
    private const int RandomBytes = 32;

    public static string New(Guid workspace)
    {
        Span<byte> bytes = stackalloc byte[WorkspaceBytes + RandomBytes];
        workspace.TryWriteBytes(bytes);
        RandomNumberGenerator.Fill(bytes[WorkspaceBytes..]);
        return Prefix + Base64Url.EncodeToString(bytes);
    }

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>The workspace that a secret names; null when it is none of ours by its form.</summary>
    public static Guid? WorkspaceOf(string secret)
    {
        Span<byte> bytes = stackalloc byte[WorkspaceBytes + RandomBytes];
        return secret.StartsWith(Prefix, StringComparison.Ordinal)
            && Base64Url.DecodeFromChars(secret.AsSpan(Prefix.Length), bytes, out _, out var written) == OperationStatus.Done
            && written == bytes.Length
                ? new Guid(bytes[..WorkspaceBytes])
                : null;
    }
}
