using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>A call of one of the page's tools, put together of its pieces.</summary>
internal sealed class ClientCall
{
    private readonly StringBuilder _arguments = new();

    /// <summary>By which the bot finds what it did before it called; empty where the upstream gave none.</summary>
    public string Id { get; private set; } = "";

    public string Name { get; private set; } = "";

    /// <summary>What the model wrote; where that is no JSON object, an empty one, as the page takes nothing else.</summary>
    public JsonObject Arguments
    {
        get
        {
            try
            {
                return _arguments.Length == 0 ? [] : JsonNode.Parse(_arguments.ToString()) as JsonObject ?? [];
            }
            catch (JsonException)
            {
                return [];
            }
        }
    }

    public void Add(BotEvent.CallerToolCall piece)
    {
        // There are upstreams that repeat both with each piece, as empty texts.
        Id = piece.Id is { Length: > 0 } id ? id : Id;
        Name = piece.Name is { Length: > 0 } name ? name : Name;
        _arguments.Append(piece.Arguments);
    }
}
