using Gateway.Data;

namespace Gateway.Http;

/// <summary>Ids for requests that bring none.</summary>
internal static class RequestIds
{
    private const string Prefix = "req_";

    /// <summary>Such as <c>req_</c> and 32 random hexadecimal digits.</summary>
    public static string New() => string.Create(Prefix.Length + (2 * RandomIds.Bytes), RandomIds.Next(), static (text, bytes) =>
    {
        Prefix.CopyTo(text);
        Convert.TryToHexStringLower(bytes, text[Prefix.Length..], out _);
    });
}
