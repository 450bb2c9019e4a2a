using System.Text;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Upstream;

namespace Gateway.Chat;

/// <summary>A turn's events gathered into one answer.</summary>
internal sealed class BotReply
{
    /// <summary>A tool call of the caller's, its arguments joined.</summary>
    internal sealed class Call
    {
        public string Id { get; set; } = "";

        public string Type { get; set; } = "function";

        public string Name { get; set; } = "";

        public StringBuilder Arguments { get; } = new();
    }

    public StringBuilder Text { get; } = new();

    public StringBuilder Reasoning { get; } = new();

    public StringBuilder Refusal { get; } = new();

    public SortedDictionary<int, Call> Calls { get; } = [];

    /// <summary>The logprobs of each piece of text, as the upstream sent them.</summary>
    public List<byte[]> Logprobs { get; } = [];

    public string FinishReason { get; private set; } = "stop";

    public TokenUsage? Usage { get; private set; }

    public void Add(BotEvent happened)
    {
        switch (happened)
        {
            case BotEvent.Text text:
                Text.Append(text.Piece);
                if (text.Logprobs is not null)
                {
                    Logprobs.Add(text.Logprobs);
                }

                break;
            case BotEvent.Reasoning reasoning:
                Reasoning.Append(reasoning.Piece);
                break;
            case BotEvent.Refusal refusal:
                Refusal.Append(refusal.Piece);
                break;
            case BotEvent.CallerToolCall piece:
                AddCall(piece);
                break;
            case BotEvent.Finished finished:
                (FinishReason, Usage) = (finished.Reason, finished.Usage);
                break;
        }
    }

    /// <summary>Writes the logprobs of all pieces as one object.</summary>
    public void WriteLogprobs(Utf8JsonWriter json)
    {
        json.WriteStartObject("logprobs");
        foreach (var part in (ReadOnlySpan<string>)["content", "refusal"])
        {
            var tokens = Logprobs
                .Select(piece => JsonDocument.Parse(piece).RootElement)
                .Where(piece => piece.TryGetProperty(part, out var list) && list.ValueKind == JsonValueKind.Array)
                .SelectMany(piece => piece.GetProperty(part).EnumerateArray())
                .ToList();
            if (tokens.Count == 0)
            {
                json.WriteNull(part);
                continue;
            }

            json.WriteStartArray(part);
            tokens.ForEach(token => token.WriteTo(json));
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void AddCall(BotEvent.CallerToolCall piece)
    {
        if (!Calls.TryGetValue(piece.Index, out var call))
        {
            Calls.Add(piece.Index, call = new Call());
        }

        call.Id = piece.Id ?? call.Id;
        call.Type = piece.Type ?? call.Type;
        call.Name = piece.Name ?? call.Name;
        call.Arguments.Append(piece.Arguments);
    }
}
