using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>
/// An answer other than 2xx, in OpenAI's envelope. Thrown while a request is read, written by the server.
/// </summary>
/// <param name="status">The HTTP status.</param>
/// <param name="param">Path of the offending field, such as <c>messages[0].role</c>.</param>
internal sealed class RefusalException(int status, string type, string? code, string message, string? param = null)
    : Exception(message)
{
    /// <summary>Sent as <c>Retry-After</c>, as it stands. Null: no such header.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>Value of the <c>Allow</c> header of a 405.</summary>
    public string? Allow { get; init; }

    /// <summary>Answers as a proxy in front of a real upstream would: a page instead of the envelope.</summary>
    public bool IsHtml { get; init; }

    public static RefusalException NotJson(string why) =>
        Invalid(null, $"We could not parse the JSON body of your request. {why}", null);

    public static RefusalException Missing(string path) =>
        Invalid(path, $"Missing required parameter: '{path}'.", "missing_required_parameter");

    public static RefusalException WrongType(string path, string expected, JsonValueKind got) =>
        Invalid(path, $"Invalid type for '{path}': expected {expected}, but got {Word(got)} instead.", "invalid_type");

    public static RefusalException WrongValue(string path, string why) =>
        Invalid(path, $"Invalid value for '{path}': {why}", "invalid_value");

    public static RefusalException Invalid(string? path, string message, string? code) =>
        new(StatusCodes.Status400BadRequest, "invalid_request_error", code, message, path);

    public static RefusalException UnknownModel(string model) =>
        new(StatusCodes.Status404NotFound, "invalid_request_error", "model_not_found",
            $"The model '{model}' does not exist in the simulator.", "model");

    public static RefusalException UnknownRoute(string method, string path) =>
        new(StatusCodes.Status404NotFound, "invalid_request_error", "unknown_url",
            $"Unknown request URL: {method} {path}.");

    public static RefusalException WrongMethod(string method, string path, string allowed) =>
        new(StatusCodes.Status405MethodNotAllowed, "invalid_request_error", "method_not_supported",
            $"Not allowed to {method} on {path}.")
        { Allow = allowed };

    public async Task WriteAsync(HttpContext http)
    {
        http.Response.StatusCode = status;
        if (RetryAfter is not null)
        {
            http.Response.Headers.RetryAfter = RetryAfter;
        }

        if (Allow is not null)
        {
            http.Response.Headers.Allow = Allow;
        }

        var body = IsHtml ? HtmlPage() : Envelope();
        http.Response.ContentType = IsHtml ? "text/html; charset=utf-8" : "application/json";
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.BodyWriter.WriteAsync(body, http.RequestAborted);
        }
    }

    /// <summary>The envelope alone, for error events inside a stream.</summary>
    public byte[] Envelope() => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", Message);
        json.WriteString("type", type);
        json.WriteString("param", param);
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private byte[] HtmlPage() =>
        System.Text.Encoding.UTF8.GetBytes($"<html><body><h1>{status}</h1><p>{Message}</p></body></html>\n");

    private static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };
}
