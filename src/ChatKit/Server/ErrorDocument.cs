using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatKit;

/// <summary>Refusals and faults in OpenAI's form: <c>{"error":{"message","type","param","code"}}</c>.</summary>
internal static class ErrorDocument
{
    /// <exception cref="RequestRefusedException">Another method (405) or type of content (415).</exception>
    public static void RefuseOtherThanJson(HttpContext http)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
        {
            http.Response.Headers.Allow = HttpMethods.Post;
            throw new RequestRefusedException(405, "method_not_allowed", "Only POST is allowed here.");
        }

        // Nothing at all is taken for JSON: so do simple clients send it. Browsers always name a type.
        if (http.Request.ContentType is { Length: > 0 } && !http.Request.HasJsonContentType())
        {
            throw new RequestRefusedException(415, "unsupported_media_type", "The body must be application/json.");
        }
    }

    public static async Task WriteAsync(HttpContext http, Exception error)
    {
        var (status, code, message, param) = error switch
        {
            InvalidRequestException invalid => (400, "invalid_request", invalid.Message, invalid.Path),
            RequestRefusedException refused => (refused.Status, refused.Code, refused.Message, null),
            BadHttpRequestException bad => (bad.StatusCode, "bad_request", bad.Message, null),
            _ => (500, "internal_error", "The server failed to answer this request.", (string?)null),
        };
        if (status == 500)
        {
            Log.RequestFailed(http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("ChatKit"), error);
        }

        http.Response.StatusCode = status;
        var type = status >= 500 ? "server_error" : "invalid_request_error";
        await http.Response.WriteAsJsonAsync(
            new Envelope(new Body(message, type, param, code)), ErrorJson.Default.Envelope, "application/json", http.RequestAborted);
    }

    internal sealed record Envelope(Body Error);

    internal sealed record Body(string Message, string Type, string? Param, string Code);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorDocument.Envelope))]
internal sealed partial class ErrorJson : JsonSerializerContext;
