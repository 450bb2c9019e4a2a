using System.Text;
using System.Text.Json;
using Gateway.Http;
using Gateway.Selectors;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>
/// A chat completion request: the caller's bytes, and the few facts that decide where they go. Types of the fields that
/// OpenAI documents are checked; ranges and everything unknown are left to the upstream.
/// </summary>
internal sealed class ChatRequest
{
    private ChatRequest(JsonBody body, Selector selector) => (Body, Selector) = (body, selector);

    public JsonBody Body { get; }

    public Selector Selector { get; }

    public bool IsStream { get; private init; }

    /// <summary>Whether a stream is to end with a usage chunk.</summary>
    public bool WantsUsage { get; private init; }

    /// <summary>How many choices are asked for; 1 where that is no number of choices, which the upstream may refuse.</summary>
    public int Choices { get; private init; } = 1;

    /// <summary>Whether <c>n</c> is 1 or not there.</summary>
    public bool AsksForOneChoice { get; private init; }

    /// <summary>Whether anything in it has the form from before tools, and is to be translated for the upstream.</summary>
    public bool IsInOldForm { get; private init; }

    /// <summary>Whether the answer is to have the form from before tools: only for callers who offer functions and no tools.</summary>
    public bool AnswersInOldForm { get; private init; }

    /// <summary>Reads and checks a body.</summary>
    /// <returns>Either the request, or why it is refused; and whom it asks, if that can be told, of either.</returns>
    public static (ChatRequest? Request, Selector? Selector, ApiError? Error) Read(ReadOnlyMemory<byte> bytes)
    {
        var look = new MessageLook();
        if (!JsonBody.TryRead(bytes, look.Inspect, out var body, out var error)
            || (error = ChatFields.Check(body)) is not null)
        {
            return (null, AskedIn(bytes), error);
        }

        if (!body.TryGet("model"u8, out var model))
        {
            return (null, null, ApiError.MissingParameter("model"));
        }

        if (body.Text(model) is not { } text || Selector.Parse(text) is not { } selector)
        {
            return (null, null, ApiError.InvalidSelector(body.Text(model) ?? ""));
        }

        if (!body.TryGet("messages"u8, out var messages))
        {
            return (null, selector, ApiError.MissingParameter("messages"));
        }

        if (look.Messages == 0)
        {
            return (null, selector, ApiError.EmptyArray("messages"));
        }

        var isStream = body.TryGet("stream"u8, out var stream) && stream.Kind == JsonTokenType.True;
        var answersInOldForm =
            (body.TryGet("functions"u8, out _) || body.TryGet("function_call"u8, out _)) && !body.TryGet("tools"u8, out _);
        var choices = Number(body, "n"u8) ?? 1;
        return (new ChatRequest(body, selector)
        {
            IsStream = isStream,
            WantsUsage = isStream && UpstreamCall.AsksForUsage(body),
            Choices = choices is > 0 and <= int.MaxValue && double.IsInteger(choices) ? (int)choices : 1,
            AsksForOneChoice = choices == 1,
            IsInOldForm = look.IsInOldForm || answersInOldForm,
            AnswersInOldForm = answersInOldForm,
        }, selector, null);
    }

    /// <summary>Whom a refused request asks, since it is recorded as well; null when that cannot be told.</summary>
    private static Selector? AskedIn(ReadOnlyMemory<byte> bytes) =>
        JsonBody.TryRead(bytes, null, out var body, out _)
        && body.TryGet("model"u8, out var model) && model.Kind == JsonTokenType.String && body.Text(model) is { } text
            ? Selector.Parse(text)
            : null;

    private static double? Number(JsonBody body, ReadOnlySpan<byte> name)
    {
        if (!body.TryGet(name, out var member))
        {
            return null;
        }

        var reader = new Utf8JsonReader(body.Value(member).Span);
        return reader.Read() && reader.TryGetDouble(out var number) ? number : null;
    }

    /// <summary>Looks at the messages while the body is read, so that they are walked once.</summary>
    private sealed class MessageLook
    {
        public int Messages { get; private set; }

        public bool IsInOldForm { get; private set; }

        public ApiError? Inspect(ReadOnlySpan<byte> name, ref Utf8JsonReader value)
        {
            if (!name.SequenceEqual("messages"u8) || value.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            while (value.Read() && value.TokenType != JsonTokenType.EndArray)
            {
                var kind = value.TokenType;
                if (kind != JsonTokenType.StartObject)
                {
                    return ApiError.InvalidType($"messages[{Messages}]", "an object", JsonBody.KindName(kind));
                }

                if (Message(ref value) is { } error)
                {
                    return error;
                }

                Messages++;
            }

            return null;
        }

        private ApiError? Message(ref Utf8JsonReader json)
        {
            var hasRole = false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("role"u8))
                {
                    json.Read();
                    if (json.TokenType != JsonTokenType.String)
                    {
                        return ApiError.InvalidType($"messages[{Messages}].role", "a string", JsonBody.KindName(json.TokenType));
                    }

                    hasRole = true;
                    IsInOldForm |= json.ValueTextEquals("function"u8);
                }
                else if (json.ValueTextEquals("content"u8))
                {
                    json.Read();
                    if (json.TokenType is not (JsonTokenType.String or JsonTokenType.StartArray or JsonTokenType.Null))
                    {
                        return ApiError.InvalidType(
                            $"messages[{Messages}].content", "a string or an array of parts", JsonBody.KindName(json.TokenType));
                    }
                }
                else
                {
                    var isCall = json.ValueTextEquals("function_call"u8);
                    json.Read();
                    IsInOldForm |= isCall && json.TokenType == JsonTokenType.StartObject;
                }

                json.Skip();
            }

            return hasRole ? null : ApiError.MissingParameter($"messages[{Messages}].role");
        }
    }
}

/// <summary>The types of a request's fields as OpenAI documents them. Null always passes: it means absent.</summary>
internal static class ChatFields
{
    private static readonly Dictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["model"] = "a string",
        ["messages"] = "an array",
        ["stream"] = "a boolean",
        ["stream_options"] = "an object",
        ["temperature"] = "a number",
        ["top_p"] = "a number",
        ["presence_penalty"] = "a number",
        ["frequency_penalty"] = "a number",
        ["seed"] = "a number",
        ["n"] = "a number",
        ["max_tokens"] = "a number",
        ["max_completion_tokens"] = "a number",
        ["top_logprobs"] = "a number",
        ["logprobs"] = "a boolean",
        ["logit_bias"] = "an object",
        ["parallel_tool_calls"] = "a boolean",
        ["tools"] = "an array",
        ["functions"] = "an array",
        ["response_format"] = "an object",
        ["modalities"] = "an array",
        ["audio"] = "an object",
        ["prediction"] = "an object",
        ["metadata"] = "an object",
        ["store"] = "a boolean",
        ["service_tier"] = "a string",
        ["user"] = "a string",
        ["safety_identifier"] = "a string",
        ["prompt_cache_key"] = "a string",
        ["reasoning_effort"] = "a string",
        ["verbosity"] = "a string",
        ["web_search_options"] = "an object",
    };

    private static readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> ByChars =
        Expected.GetAlternateLookup<ReadOnlySpan<char>>();

    public static ApiError? Check(JsonBody body)
    {
        Span<char> chars = stackalloc char[64];
        foreach (ref readonly var member in body.Members)
        {
            var name = body.Name(member);
            if (member.Kind == JsonTokenType.Null || name.Length > chars.Length)
            {
                continue;
            }

            var length = Encoding.UTF8.GetChars(name, chars);
            if (ByChars.TryGetValue(chars[..length], out var expected) && JsonBody.KindName(member.Kind) != expected)
            {
                return ApiError.InvalidType(chars[..length].ToString(), expected, JsonBody.KindName(member.Kind));
            }

            // Two of them take a text as well as a structure.
            if (member.Kind is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
                && chars[..length] is "stop" or "tool_choice" or "function_call")
            {
                return ApiError.InvalidType(chars[..length].ToString(), "a string or a structure", JsonBody.KindName(member.Kind));
            }
        }

        return null;
    }
}
