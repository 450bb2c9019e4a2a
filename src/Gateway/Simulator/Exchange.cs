using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>One request and its answer, with the trouble that any answer may meet.</summary>
/// <param name="stopping">Cancelled when the server stops; ends every wait.</param>
internal sealed class Exchange(HttpContext http, TroubleLog log, TimeProvider clock, CancellationToken stopping)
    : IDisposable
{
    /// <summary>
    /// How long an abort waits after the last flush. Kestrel's abort resets the connection, and a reset overtakes bytes
    /// that the other side has not read yet.
    /// </summary>
    private static readonly TimeSpan AbortDelay = TimeSpan.FromMilliseconds(20);

    private CancellationTokenSource? _gone;

    public HttpContext Http => http;

    /// <summary>Cancelled when the caller left or the server stops.</summary>
    /// <remarks>Made when first asked for: the constant reply of a benchmark does without.</remarks>
    public CancellationToken Gone =>
        (_gone ??= CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping)).Token;

    /// <summary>Seconds since 1970, for <c>created</c>.</summary>
    public long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    public Task WaitAsync(TimeSpan wait) => Task.Delay(wait, clock, Gone);

    /// <summary>Breaks the connection, after what was flushed has had time to arrive.</summary>
    public async Task AbortAsync()
    {
        await Task.Delay(AbortDelay, TimeProvider.System, CancellationToken.None);
        http.Abort();
    }

    /// <summary>
    /// Puts the trouble into effect that comes before an answer: refusals, unsupported parameters, delays.
    /// </summary>
    /// <param name="key">What <c>!times</c> counts by when there is no <c>!id</c>.</param>
    /// <param name="body">Where unsupported parameters are looked for; null for a form.</param>
    /// <returns>The trouble that is still to come; none when it is not due.</returns>
    public async Task<Trouble> EnterAsync(Trouble trouble, string key, JsonElement? body)
    {
        if (!log.IsDue(trouble, key))
        {
            return Trouble.None;
        }

        if (trouble.Delay > TimeSpan.Zero)
        {
            await WaitAsync(trouble.Delay);
        }

        if (trouble.Status is { } status)
        {
            throw Simulated(status, trouble);
        }

        if (body is { } sent)
        {
            RefuseUnsupported(trouble, sent);
        }

        return trouble;
    }

    /// <summary>
    /// Sends a whole body. Where the trouble breaks it, it breaks in its middle, and for a finish not at all.
    /// </summary>
    public async Task SendAsync(ReadOnlyMemory<byte> body, string contentType, Trouble trouble)
    {
        if (trouble.FirstContent > TimeSpan.Zero)
        {
            await WaitAsync(trouble.FirstContent);
        }

        var trip = trouble.Break;
        if (trip is { After: Break.Start, Kind: BreakKind.Cut })
        {
            await AbortAsync();
            return;
        }

        if (trip is { Kind: BreakKind.ErrorEvent })
        {
            throw Simulated(StatusCodes.Status500InternalServerError, trouble);
        }

        http.Response.ContentType = contentType;
        if (trip is null || trip.After == Break.Finish)
        {
            http.Response.ContentLength = body.Length;
            await http.Response.BodyWriter.WriteAsync(body, Gone);
            return;
        }

        var half = trip.After == Break.Headers ? 0 : body.Length / 2;
        // Malformed and ended bodies are whole as HTTP goes and half as JSON goes; cut ones fall short of what they
        // promised.
        http.Response.ContentLength = trip.Kind is BreakKind.Malformed or BreakKind.End ? half : body.Length;
        await http.Response.StartAsync(Gone);
        await http.Response.BodyWriter.WriteAsync(body[..half], Gone);
        switch (trip.Kind)
        {
            case BreakKind.Cut:
                await AbortAsync();
                break;
            case BreakKind.Stall:
                await WaitAsync(trouble.StallFor);
                await http.Response.BodyWriter.WriteAsync(body[half..], Gone);
                break;
            default:
                break;
        }
    }

    public void Dispose() => _gone?.Dispose();

    public static RefusalException Simulated(int status, Trouble trouble)
    {
        var (type, code) = status switch
        {
            StatusCodes.Status401Unauthorized => ("invalid_request_error", "invalid_api_key"),
            StatusCodes.Status429TooManyRequests => ("requests", "rate_limit_exceeded"),
            >= 500 => ("server_error", null),
            _ => ("invalid_request_error", (string?)null),
        };
        return new RefusalException(status, type, trouble.Code ?? code, $"The simulator was asked to answer {status}.")
        {
            RetryAfter = trouble.RetryAfter,
            IsHtml = trouble.IsHtml,
        };
    }

    private static void RefuseUnsupported(Trouble trouble, JsonElement body)
    {
        foreach (var name in trouble.Unsupported)
        {
            if (body.TryGetProperty(name, out _))
            {
                var other = name == "max_tokens" ? " Use 'max_completion_tokens' instead." : "";
                throw RefusalException.Invalid(
                    name,
                    $"Unsupported parameter: '{name}' is not supported with this model.{other}",
                    "unsupported_parameter");
            }
        }

        foreach (var name in trouble.UnsupportedValues)
        {
            if (body.TryGetProperty(name, out var value))
            {
                throw RefusalException.Invalid(
                    name,
                    $"Unsupported value: '{name}' does not support {value.GetRawText()} with this model.",
                    "unsupported_value");
            }
        }
    }
}
