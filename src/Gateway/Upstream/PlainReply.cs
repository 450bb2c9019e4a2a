using System.Buffers;
using System.Text.Json;
using Gateway.Http;
using Gateway.Observability;

namespace Gateway.Upstream;

/// <summary>
/// A whole reply that is not a stream, read to its end before anything is passed on: a reply that breaks off is then a
/// failure with a status of its own, not half an answer.
/// </summary>
internal sealed class PlainReply : IDisposable
{
    /// <summary>Largest reply accepted, in bytes.</summary>
    public const int MaxReplyBytes = 128 * 1024 * 1024;

    /// <summary>Deepest nesting of a reply or an event. Deeper than a request's: schemas and arguments come back in it.</summary>
    public const int MaxDepth = 256;

    private byte[]? _buffer;
    private readonly int _length;

    private PlainReply(byte[] buffer, int length) => (_buffer, _length) = (buffer, length);

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>As the upstream reported it; null when it did not.</summary>
    public TokenUsage? Usage { get; private set; }

    /// <summary>The model that it names; null while nobody traces.</summary>
    public string? Model { get; private set; }

    /// <summary>Sends a call and reads its reply.</summary>
    /// <returns>A <see cref="PlainReply"/>, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public static async ValueTask<AttemptOutcome> SendAsync(
        UpstreamClient client, UpstreamCall call, Attempt attempt)
    {
        var (response, refused) = await client.OpenAsync(call, attempt);
        if (response is null)
        {
            return new AttemptOutcome(null, refused);
        }

        using (response)
        {
            try
            {
                var (reply, failure) = await ReadAsync(response, attempt);
                if (reply is not null)
                {
                    attempt.Succeeded();
                    attempt.AnsweredAs(reply.Model);
                    attempt.Ended("ok", reply.Used(call));
                    attempt.Dispose();
                }

                return new AttemptOutcome(reply, failure);
            }
            catch (Exception broken) when (AttemptFailure.From(broken, attempt.Clock, attempt.Route, began: true) is { } failure)
            {
                return new AttemptOutcome(null, failure);
            }
        }
    }

    /// <summary>As the upstream reported it, else an estimate.</summary>
    private Tokens Used(UpstreamCall call) => Usage is { } reported
        ? new Tokens(reported, IsEstimated: false)
        : new Tokens(
            new TokenUsage(
                (int)Math.Min(call.PromptTokens, int.MaxValue), (int)Math.Min(PromptEstimate.Tokens(Bytes.Span), int.MaxValue), 0, 0),
            IsEstimated: true);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<(PlainReply?, AttemptFailure?)> ReadAsync(HttpResponseMessage response, Attempt attempt)
    {
        var (route, cancel) = (attempt.Route, attempt.Clock.Token);
        var expected = response.Content.Headers.ContentLength;
        if (expected > MaxReplyBytes)
        {
            return (null, Malformed(route, "it is too large"));
        }

        var stream = await response.Content.ReadAsStreamAsync(cancel);
        var buffer = ArrayPool<byte>.Shared.Rent((int)(expected ?? 8 * 1024) + 1);
        var length = 0;
        var isKept = false;
        try
        {
            while (true)
            {
                if (length == buffer.Length)
                {
                    if (length > MaxReplyBytes)
                    {
                        return (null, Malformed(route, "it is too large"));
                    }

                    var larger = ArrayPool<byte>.Shared.Rent(length * 2);
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
                if (read == 0)
                {
                    break;
                }

                length += read;
            }

            var reply = new PlainReply(buffer, length);
            if (!reply.Inspect(out var isError))
            {
                return (null, Malformed(route, "it is not a JSON object"));
            }

            if (isError)
            {
                return (null, AttemptFailure.InReply(reply.Bytes.Span, route, attempt.Deployment.Provider));
            }

            isKept = true;
            return (reply, null);
        }
        finally
        {
            if (!isKept)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private static AttemptFailure Malformed(ModelRoute route, string why) =>
        AttemptFailure.Broken(ApiError.UpstreamMalformed(route.Selector, why), "malformed");

    /// <summary>Checks that the reply is one JSON object, and finds its usage; one pass.</summary>
    private bool Inspect(out bool isError)
    {
        isError = false;
        var json = new Utf8JsonReader(Bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isUsage = json.ValueSpan.SequenceEqual("usage"u8);
                var isErrorMember = json.ValueSpan.SequenceEqual("error"u8);
                var isModel = GatewayTracing.IsOn && json.ValueSpan.SequenceEqual("model"u8);
                json.Read();
                Model = isModel && json.TokenType == JsonTokenType.String ? json.GetString() : Model;
                if (isUsage && json.TokenType == JsonTokenType.StartObject)
                {
                    Usage = TokenUsage.Read(ref json) ?? Usage;
                    continue;
                }

                isError |= isErrorMember && json.TokenType == JsonTokenType.StartObject;
                json.Skip();
            }

            // Anything but white space behind the object throws.
            json.Read();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
