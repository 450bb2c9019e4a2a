using System.Security.Cryptography;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>POST /v1/chat/completions.</summary>
internal static class ChatRoute
{
    public static async Task HandleAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Http.RequestAborted);
        if (BenchReply.IsWanted(body.Bytes.Span))
        {
            await BenchReply.SendAsync(exchange.Http);
            return;
        }

        var root = body.ParseObject();
        var request = SimulatorRequest.Read(root);
        request.Trouble = await exchange.EnterAsync(request.Trouble, $"{request.Model}\n{request.Question}", root);
        var id = Id("chatcmpl-", body.Bytes.Span);
        var replies = Answers.Compose(request);
        if (request.Stream)
        {
            await StreamAsync(exchange, request, id, replies);
        }
        else
        {
            var json = ChatWriter.Chat(request, id, exchange.Now, replies);
            await exchange.SendAsync(json, "application/json", request.Trouble);
        }
    }

    /// <summary>The same request gets the same id.</summary>
    public static string Id(string start, ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return start + Convert.ToHexStringLower(hash[..12]);
    }

    private static async Task StreamAsync(Exchange exchange, SimulatorRequest request, string id, List<Reply> replies)
    {
        var hasUsage = request.IncludeUsage && !request.Trouble.HasNoUsage;
        using var chunks = new ChunkWriter(id, "chat.completion.chunk", exchange.Now, request.Model, hasUsage);
        var stream = new ReplyStream(exchange, chunks, request.Trouble)
        {
            IsChat = true,
            IsLegacy = request.Tools.IsLegacy,
            Usage = hasUsage ? Usage.Of(request.PromptTokens, replies) : null,
            Logprobs = request.HasLogprobs ? text => LogprobsOf(request, text) : null,
        };
        await stream.RunAsync(replies);
    }

    private static byte[] LogprobsOf(SimulatorRequest request, string text) =>
        JsonText.Write((Utf8JsonWriter json) => ChatWriter.WriteLogprobs(json, request, text));
}
