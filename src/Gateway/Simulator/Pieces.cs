using System.Text.Json;

namespace Gateway.Simulator;

internal enum PieceKind { Reasoning, Text, CallStart, CallArguments }

/// <summary>What one content chunk of a stream carries.</summary>
/// <param name="Call">Index of the tool call, where it is about one.</param>
internal readonly record struct Piece(PieceKind Kind, string Source, int Start, int End, int Call)
{
    public ReadOnlySpan<char> Span => Source.AsSpan(Start, End - Start);
}

/// <summary>Cuts an answer into the pieces that are streamed one by one: a token each.</summary>
internal static class Pieces
{
    public static List<Piece> Of(Reply reply)
    {
        var pieces = new List<Piece>();
        Add(pieces, PieceKind.Reasoning, reply.Reasoning ?? "", 0);
        Add(pieces, PieceKind.Text, reply.Text ?? "", 0);
        for (var i = 0; i < reply.Calls.Count; i++)
        {
            pieces.Add(new Piece(PieceKind.CallStart, "", 0, 0, i));
            Add(pieces, PieceKind.CallArguments, reply.Calls[i].Arguments, i);
        }

        return pieces;
    }

    /// <summary>The pieces of several choices, taking turns.</summary>
    public static IEnumerable<(int Choice, Piece Piece)> Interleave(List<List<Piece>> choices)
    {
        var longest = choices.Max(pieces => pieces.Count);
        for (var turn = 0; turn < longest; turn++)
        {
            for (var choice = 0; choice < choices.Count; choice++)
            {
                if (turn < choices[choice].Count)
                {
                    yield return (choice, choices[choice][turn]);
                }
            }
        }
    }

    /// <summary>The delta of any piece but text, as JSON.</summary>
    public static byte[] Delta(Piece piece, Reply reply, bool isLegacy) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        if (piece.Kind == PieceKind.Reasoning)
        {
            json.WriteString("reasoning_content", piece.Span);
        }
        else if (isLegacy)
        {
            json.WritePropertyName("function_call");
            WriteFunction(json, piece, reply.Calls[piece.Call]);
        }
        else
        {
            WriteCall(json, piece, reply.Calls[piece.Call]);
        }

        json.WriteEndObject();
    });

    private static void WriteCall(Utf8JsonWriter json, Piece piece, ToolCall call)
    {
        var kind = call.IsCustom ? "custom" : "function";
        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteNumber("index", piece.Call);
        if (piece.Kind == PieceKind.CallStart)
        {
            json.WriteString("id", call.Id);
            json.WriteString("type", kind);
        }

        json.WritePropertyName(kind);
        WriteFunction(json, piece, call);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>The name goes out once, with the first delta: clients put repeated ones together.</summary>
    private static void WriteFunction(Utf8JsonWriter json, Piece piece, ToolCall call)
    {
        json.WriteStartObject();
        if (piece.Kind == PieceKind.CallStart)
        {
            json.WriteString("name", call.Name);
        }

        json.WriteString(call.IsCustom ? "input" : "arguments", piece.Span);
        json.WriteEndObject();
    }

    private static void Add(List<Piece> pieces, PieceKind kind, string text, int call)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = Words.End(text, at);
            pieces.Add(new Piece(kind, text, at, end, call));
            at = end;
        }
    }
}
