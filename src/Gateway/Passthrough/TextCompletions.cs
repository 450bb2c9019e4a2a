using System.Text.Json;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;

namespace Gateway.Passthrough;

/// <summary>
/// POST <c>/v1/completions</c>. Its streams have endings that can be told from broken ones, so it goes the way of chat
/// completions and not through the forwarder.
/// </summary>
internal static class TextCompletions
{
    public static async Task CreateAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var (bytes, refused) = await RequestBody.ReadJsonAsync(http, http.RequestServices.GetRequiredService<BodyLimits>(), cancel);
        if (bytes is null)
        {
            await refused!.RefuseAsync(http);
            return;
        }

        using (bytes)
        {
            ModelRoute? route = null;
            if (JsonBody.TryRead(bytes.Memory, null, out var body, out var error))
            {
                (route, error) = Target.Find(http, body);
                error = Check(body) ?? error;
            }

            if (RequestFacts.Of(http).Selector is null)
            {
                await error!.RefuseAsync(http);
                return;
            }

            await http.RequestServices.GetRequiredService<Metering>().RunAsync(http, bot: null, metered =>
                error is null ? AnswerAsync(http, route!, body, metered, cancel) : error.RefuseAsync(http));
        }
    }

    private static async Task AnswerAsync(HttpContext http, ModelRoute route, JsonBody body, Metered metered, CancellationToken cancel)
    {
        var isStream = body.TryGet("stream"u8, out var stream) && stream.Kind == JsonTokenType.True;
        metered.Usage.IsStream = isStream;
        var call = new UpstreamCall
        {
            Route = route,
            Path = "completions",
            Body = body,
            Usage = metered.Usage,
            IsStream = isStream,
            WantsUsage = isStream && UpstreamCall.AsksForUsage(body),
            Choices = Choices(body),
        };
        if (await metered.ReserveAsync(call.Need(), null, cancel) is { } limited)
        {
            await limited.RefuseAsync(http);
            return;
        }

        await (isStream ? StreamAsync(http, call, cancel) : SendPlainAsync(http, call, cancel));
    }

    private static async Task StreamAsync(HttpContext http, UpstreamCall call, CancellationToken cancel)
    {
        var services = http.RequestServices;
        await using var caller = new EventStreamResponse(http, services.GetRequiredService<TimeProvider>());
        await services.GetRequiredService<ChatRelay>().RunAsync(
            call, caller, RequestFacts.Of(http), rewrite: null, () => AttemptHeaders.Set(http, call), cancel);
    }

    private static Task SendPlainAsync(HttpContext http, UpstreamCall call, CancellationToken cancel) =>
        http.RequestServices.GetRequiredService<PlainRelay>().RunAsync(http, call, rewrite: null, cancel);

    /// <summary>The types of what is read here; everything else is the upstream's to check.</summary>
    private static ApiError? Check(JsonBody body) =>
        Type(body, "stream", "a boolean") ?? Type(body, "stream_options", "an object") ?? Type(body, "n", "a number");

    private static ApiError? Type(JsonBody body, string name, string expected) =>
        body.TryGet(System.Text.Encoding.UTF8.GetBytes(name), out var member) && JsonBody.KindName(member.Kind) is var got && got != expected
            ? ApiError.InvalidType(name, expected, got)
            : null;

    /// <summary>How many the reply has: <c>n</c> for each prompt.</summary>
    private static int Choices(JsonBody body)
    {
        var each = 1;
        if (body.TryGet("n"u8, out var member))
        {
            var number = new Utf8JsonReader(body.Value(member).Span);
            each = number.Read() && number.TryGetInt32(out var n) && n > 0 ? n : 1;
        }

        return body.TryGet("prompt"u8, out var prompt) && prompt.Kind == JsonTokenType.StartArray
            ? (int)Math.Min(int.MaxValue, (long)each * Prompts(body.Value(prompt).Span))
            : each;
    }

    /// <summary>An array of texts or of token lists is as many prompts; an array of numbers is one, as tokens.</summary>
    private static int Prompts(ReadOnlySpan<byte> array)
    {
        var json = new Utf8JsonReader(array, new JsonReaderOptions { MaxDepth = JsonBody.MaxDepth });
        var prompts = 0;
        json.Read();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType == JsonTokenType.Number)
            {
                return 1;
            }

            prompts++;
            json.Skip();
        }

        return Math.Max(1, prompts);
    }
}
