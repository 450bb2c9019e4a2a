using Gateway.Data;

namespace Gateway.Http;

/// <summary>Random ids that callers see.</summary>
internal static class RequestIds
{
    private const string Prefix = "req_";
    private const string CompletionPrefix = "chatcmpl-";

    /// <summary>For a chat completion of ours: <c>chatcmpl-</c> and 24 random hexadecimal digits.</summary>
    public static string OfCompletion() => string.Create(CompletionPrefix.Length + 24, RandomIds.Next()[..12], static (text, bytes) =>
    {
        CompletionPrefix.CopyTo(text);
        Convert.TryToHexStringLower(bytes, text[CompletionPrefix.Length..], out _);
    });

    /// <summary>Such as <c>req_</c> and 32 random hexadecimal digits.</summary>
    public static string New() => string.Create(Prefix.Length + (2 * RandomIds.Bytes), RandomIds.Next(), static (text, bytes) =>
    {
        Prefix.CopyTo(text);
        Convert.TryToHexStringLower(bytes, text[Prefix.Length..], out _);
    });
}
