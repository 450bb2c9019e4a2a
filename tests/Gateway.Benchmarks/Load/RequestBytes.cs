using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>The request that a run sends over and over, head and body.</summary>
internal static class RequestBytes
{
    private const string Filling = " The quick brown fox jumps over the lazy dog, and the dog does not mind.";

    /// <param name="bodyBytes">How long its body is.</param>
    public static byte[] Make(LoadOptions options, bool isStream, out int bodyBytes)
    {
        var body = options.BodyFile is { } file
            ? File.ReadAllBytes(file)
            : Encoding.UTF8.GetBytes(Body(options, isStream));
        bodyBytes = body.Length;
        return Make(options, body);
    }

    /// <param name="body">In place of the one that the options say.</param>
    public static byte[] Make(LoadOptions options, byte[] body)
    {
        var head = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"POST {options.Path} HTTP/1.1\r\n")
            .Append(CultureInfo.InvariantCulture, $"Host: {options.Target.Authority}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Authorization: Bearer {options.Key}\r\n")
            .Append("Content-Type: application/json\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        foreach (var header in options.Headers)
        {
            head.Append(header).Append("\r\n");
        }

        return [.. Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), .. body];
    }

    private static string Body(LoadOptions options, bool isStream)
    {
        var stream = isStream ? "\"stream\":true,\"stream_options\":{\"include_usage\":true}," : "";
        var begin = $$"""
            {"model":"{{options.Model}}",{{stream}}"temperature":0.2,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Say something of three hundred characters, please.
            """;
        const string End = "\"}]}";
        var body = new StringBuilder(begin);
        while (body.Length + End.Length < options.BodyBytes)
        {
            body.Append(Filling, 0, Math.Min(Filling.Length, options.BodyBytes - End.Length - body.Length));
        }

        return body.Append(End).ToString();
    }
}
