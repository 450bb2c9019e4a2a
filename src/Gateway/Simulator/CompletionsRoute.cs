using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>POST /v1/completions, the older form: a prompt in, text out.</summary>
internal static class CompletionsRoute
{
    private static readonly string[] Shared =
        ["model", "n", "max_tokens", "stop", "temperature", "top_p", "presence_penalty", "frequency_penalty"];

    public static async Task HandleAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Gone);
        var root = body.ParseObject();
        var model = SimulatorRequest.ReadModel(root);
        var prompts = ReadPrompts(root);
        var trouble = await exchange.EnterAsync(Trouble.Read(model, prompts[0], out _), $"{model}\n{prompts[0]}", root);

        var replies = new List<Reply>();
        foreach (var prompt in prompts)
        {
            // What a text completion says is what a chat says to the same words; one reader checks the fields of both.
            using var chat = JsonDocument.Parse(AsChat(root, prompt));
            var request = SimulatorRequest.Read(chat.RootElement);
            request.Trouble = trouble;
            replies.AddRange(Answers.Compose(request));
        }

        var id = ChatRoute.Id("cmpl-", body.Bytes.Span);
        Usage? usage = trouble.HasNoUsage ? null : Usage.Of(prompts.Sum(p => Words.Count(p)), replies);
        if (!root.Flag("stream"))
        {
            await exchange.SendAsync(Whole(id, exchange.Now, model, replies, usage), "application/json", trouble);
            return;
        }

        var asksUsage = root.Object("stream_options") is { } options
            && options.Flag("include_usage", "stream_options.");
        usage = asksUsage ? usage : null;
        using var chunks = new ChunkWriter(id, "text_completion", exchange.Now, model, usage is not null);
        await new ReplyStream(exchange, chunks, trouble) { Usage = usage }.RunAsync(replies);
    }

    private static byte[] Whole(string id, long created, string model, List<Reply> replies, Usage? usage) =>
        JsonText.Write(json =>
    {
        ChatWriter.WriteHead(json, id, "text_completion", created, model);
        for (var i = 0; i < replies.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("text", replies[i].Text);
            json.WriteNumber("index", i);
            json.WriteNull("logprobs");
            json.WriteString("finish_reason", replies[i].FinishReason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (usage is { } known)
        {
            json.WritePropertyName("usage");
            ChatWriter.WriteUsage(json, known);
        }

        json.WriteEndObject();
    });

    private static byte[] AsChat(JsonElement body, string prompt) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        foreach (var name in Shared)
        {
            if (body.TryGetProperty(name, out var value))
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }

        json.WriteStartArray("messages");
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteString("content", prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static List<string> ReadPrompts(JsonElement body)
    {
        var prompt = body.Member("prompt") ?? throw RefusalException.Missing("prompt");
        return TextInputs.Read(prompt, "prompt", maxCount: 128);
    }
}
