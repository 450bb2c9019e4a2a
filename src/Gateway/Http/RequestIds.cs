using System.Security.Cryptography;

namespace Gateway.Http;

/// <summary>Ids for requests that bring none.</summary>
internal static class RequestIds
{
    private const string Prefix = "req_";
    private const int RandomBytes = 16;

    /// <summary>Asking the system for a few bytes costs as much as asking for these.</summary>
    private const int BytesAtATime = 64 * RandomBytes;

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _left;

    /// <summary>Such as <c>req_</c> and 32 random hexadecimal digits.</summary>
    public static string New()
    {
        var random = _random ??= new byte[BytesAtATime];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(random);
            _left = random.Length;
        }

        _left -= RandomBytes;
        return string.Create(Prefix.Length + (2 * RandomBytes), random.AsMemory(_left, RandomBytes), static (text, bytes) =>
        {
            Prefix.CopyTo(text);
            Convert.TryToHexStringLower(bytes.Span, text[Prefix.Length..], out _);
        });
    }
}
