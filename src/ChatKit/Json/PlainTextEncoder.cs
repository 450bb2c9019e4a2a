using System.Text;
using System.Text.Encodings.Web;

namespace ChatKit.Json;

/// <summary>
/// Escapes what JSON demands and nothing else. The framework's relaxed encoder still writes each emoji as twelve
/// characters; this one lets whole surrogate pairs through and leaves the rest to it.
/// </summary>
internal sealed class PlainTextEncoder : JavaScriptEncoder
{
    private const int FirstSupplementary = 0x10000;

    public static PlainTextEncoder Instance { get; } = new();

    public override int MaxOutputCharactersPerInputCharacter => UnsafeRelaxedJsonEscaping.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar < FirstSupplementary && UnsafeRelaxedJsonEscaping.WillEncode(unicodeScalar);

    public override unsafe int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var seen = 0;
        while (seen < textLength)
        {
            var next = UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncode(text + seen, textLength - seen);
            if (next < 0)
            {
                return -1;
            }

            seen += next;
            Rune.DecodeFromUtf16(new ReadOnlySpan<char>(text + seen, textLength - seen), out var rune, out var length);
            if (length != 2 || rune.Value < FirstSupplementary)
            {
                return seen;
            }

            seen += length;
        }

        return -1;
    }

    public override unsafe bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        UnsafeRelaxedJsonEscaping.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);
}
