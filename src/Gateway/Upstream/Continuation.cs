using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Upstream;

/// <summary>
/// Makes the events of an attempt that carries on fit behind those of the one before: the first id, no second role, and of an
/// answer that starts over nothing that was sent already.
/// </summary>
/// <param name="id">The first stream's, as JSON without its quotes; null when it had none.</param>
/// <param name="sent">The text that the caller has.</param>
/// <param name="isReplay">Whether the answer starts over, and must be the same as far as it was sent.</param>
internal sealed class Continuation(byte[]? id, string sent, bool isReplay)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string? _id = id is null ? null : System.Text.Encoding.UTF8.GetString(id);
    private readonly System.Text.StringBuilder _sent = new(sent);
    private int _matched = isReplay ? 0 : sent.Length;
    private string _half = "";
    private byte[] _data = [];

    /// <summary>The data of the event as it is passed on.</summary>
    public ReadOnlySpan<byte> Data => _data;

    public bool IsReplay => isReplay;

    /// <summary>The text that the caller has by now.</summary>
    public string Sent => _sent.ToString();

    /// <summary>Whether the answer that starts over is another one.</summary>
    public bool HasDiverged { get; private set; }

    /// <summary>Makes an event fit.</summary>
    /// <returns>False when nothing of it is passed on.</returns>
    public bool Take(EventKind kind, ReadOnlySpan<byte> data)
    {
        if (kind is EventKind.NoData)
        {
            return false;
        }

        if (kind is EventKind.Done)
        {
            _data = data.ToArray();
            return true;
        }

        if (Read(data) is not { } chunk)
        {
            HasDiverged = true;
            return false;
        }

        try
        {
            if (_id is not null)
            {
                chunk["id"] = _id;
            }

            if (chunk["choices"] is JsonArray { Count: > 0 } choices && !TakeChoice(choices[0] as JsonObject))
            {
                return false;
            }

            _data = JsonSerializer.SerializeToUtf8Bytes(chunk, Plain);
            return true;
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or ArgumentException)
        {
            // A member twice, or a string that is no text in another place than the content's.
            HasDiverged = true;
            return false;
        }
    }

    private bool TakeChoice(JsonObject? choice)
    {
        var delta = choice?["delta"] as JsonObject;
        delta?.Remove("role");
        var isFinish = choice?["finish_reason"] is not null;
        var isReplaying = _matched < sent.Length;
        if (isReplaying && (isFinish || HasMoreThanText(delta)))
        {
            HasDiverged = true;
            return false;
        }

        if (delta is not null && JsonText.Of(delta["content"]) is { Length: > 0 } piece)
        {
            // A character may come in two halves; it is passed on whole, with the second.
            var text = _half + piece;
            _half = char.IsHighSurrogate(text[^1]) && !isFinish ? text[^1..] : "";
            text = text[..^_half.Length];
            var known = Math.Min(text.Length, sent.Length - _matched);
            if (!text.AsSpan(0, known).SequenceEqual(sent.AsSpan(_matched, known)))
            {
                HasDiverged = true;
                return false;
            }

            _matched += known;
            text = text[known..];
            delta["content"] = text;
            _sent.Append(text);
            return text.Length > 0 || isFinish;
        }

        // What says nothing, such as the second role's chunk, need not be passed on.
        return isFinish || HasMoreThanText(delta);
    }

    private static bool HasMoreThanText(JsonObject? delta)
    {
        foreach (var (name, value) in delta ?? [])
        {
            var saysNothing = name == "content" || value is null or JsonArray { Count: 0 } || JsonText.Of(value) is "";
            if (!saysNothing)
            {
                return true;
            }
        }

        return false;
    }

    private static JsonObject? Read(ReadOnlySpan<byte> data)
    {
        try
        {
            return JsonNode.Parse(data) as JsonObject;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }
}
