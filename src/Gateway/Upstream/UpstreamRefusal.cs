using System.Globalization;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>What an upstream's refusal becomes for the caller.</summary>
internal static class UpstreamRefusal
{
    private const int LongestWord = 64;

    /// <summary>What an upstream said in OpenAI's form: an <c>error</c> object with a message.</summary>
    internal readonly record struct Said(string Message, string? Type, string? Code, string? Param);

    /// <summary>
    /// Keeps the status of what is the caller's to act on, with the upstream's own words where they have OpenAI's form.
    /// Our credential being refused, or a configured deployment missing, is ours to answer for: 502.
    /// </summary>
    /// <param name="provider">Whose secrets are taken out of what it says.</param>
    public static ApiError Read(HttpResponseMessage response, ReadOnlySpan<byte> body, ModelRoute route, Provider provider)
    {
        var status = (int)response.StatusCode;
        var isOurs = status is 401 or 403 || status < 400 || (status == 404 && !route.Model.IsWildcard);
        if (isOurs)
        {
            return ApiError.UpstreamRefusedUs(route.Selector);
        }

        var said = TryRead(body, provider);
        return ApiError.FromUpstream(
            status,
            said?.Type ?? (status >= 500 ? "server_error" : status == 429 ? "rate_limit_error" : "invalid_request_error"),
            said is null && status == 429 ? "rate_limit_exceeded" : said?.Code,
            said?.Message ?? $"The provider of '{route.Selector}' answered with status {status}.",
            said?.Param,
            RetryAfter(response));
    }

    /// <summary>An error event in a stream, or an error in a reply that says 200.</summary>
    public static ApiError FromReply(ReadOnlySpan<byte> body, ModelRoute route, Provider provider) =>
        TryRead(body, provider) is { } said
            ? ApiError.FromUpstream(502, said.Type ?? "server_error", said.Code, said.Message, said.Param, null)
            : ApiError.UpstreamBroke(route.Selector);

    /// <summary>The parameter that a 400 says the model does not take; null for every other refusal.</summary>
    public static (string Name, bool ByValue)? Unsupported(ReadOnlySpan<byte> body)
    {
        if (TryRead(body) is not { Param: { Length: > 0 } param, Code: "unsupported_parameter" or "unsupported_value" } said)
        {
            return null;
        }

        // stream_options.include_usage is the stream_options that was sent.
        var end = param.AsSpan().IndexOfAny('.', '[');
        return (end < 0 ? param : param[..end], said.Code == "unsupported_value");
    }

    /// <param name="provider">Null: the words are for ourselves.</param>
    private static Said? TryRead(ReadOnlySpan<byte> body, Provider? provider = null)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            using var json = JsonDocument.ParseValue(ref reader);
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("error", out var error)
                || error.ValueKind != JsonValueKind.Object
                || Text(error, "message") is not { } message)
            {
                return null;
            }

            return provider is null
                ? new Said(message, Text(error, "type"), Text(error, "code"), Text(error, "param"))
                : new Said(
                    provider.Secrets.Conceal(message), Word(error, "type", provider), Word(error, "code", provider),
                    provider.Secrets.Conceal(Text(error, "param")));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            // Not JSON, or text that is no text.
            return null;
        }
    }

    /// <summary>What stands for a kind of error, also in logs and usage: a short word, or nothing.</summary>
    private static string? Word(JsonElement error, string name, Provider provider) =>
        provider.Secrets.Conceal(Text(error, name)) is { Length: > 0 and <= LongestWord } word && !word.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? word
            : null;

    private static string? Text(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                _ => null,
            }
            : null;

    /// <summary>What a caller is told to wait, whatever an upstream says: clients obey, and would sleep for hours.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    private static TimeSpan? RetryAfter(HttpResponseMessage response) =>
        AskedWait(response) is { } wait ? wait < LongestWait ? wait : LongestWait : null;

    private static TimeSpan? AskedWait(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("retry-after-ms", out var milliseconds)
            && double.TryParse(milliseconds.First(), CultureInfo.InvariantCulture, out var ms) && ms is > 0 and < 86_400_000)
        {
            return TimeSpan.FromMilliseconds(ms);
        }

        return response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when date - TimeProvider.System.GetUtcNow() is { Ticks: > 0 } until => until,
            _ => null,
        };
    }
}
