using System.Globalization;
using System.Text.Json;

namespace Gateway.Simulator;

internal enum AnswerFormat { Text, JsonObject, JsonSchema }

/// <summary>A chat completion request, read and checked.</summary>
internal sealed class SimulatorRequest
{
    private readonly HashSet<string> _variants;

    private SimulatorRequest(JsonElement body, string model, List<Message> messages)
    {
        Model = model;
        Messages = messages;
        _variants = new HashSet<string>(model.Split('!')[0].Split('-'), StringComparer.Ordinal);
        LastUser = messages.FindLastIndex(m => m.Role == "user");
        Trouble = Trouble.Read(model, LastUser < 0 ? null : messages[LastUser].Text, out var question);
        Question = question;
        Stream = body.Flag("stream");
        IncludeUsage = body.Object("stream_options") is { } options && options.Flag("include_usage", "stream_options.");
        Choices = body.Whole("n", 1, 128) ?? 1;
        MaxTokens = body.Whole("max_completion_tokens", 1, int.MaxValue) ?? body.Whole("max_tokens", 1, int.MaxValue);
        Stop = ReadStop(body);
        HasLogprobs = body.Flag("logprobs");
        TopLogprobs = body.Whole("top_logprobs", 0, 20) ?? 0;
        Tools = Toolbox.Read(body);
        (Format, Schema) = ReadFormat(body);
        body.CheckNumber("temperature", 0, 2);
        body.CheckNumber("top_p", 0, 1);
        body.CheckNumber("presence_penalty", -2, 2);
        body.CheckNumber("frequency_penalty", -2, 2);
    }

    /// <summary>As asked for, directives included; the reply says the same.</summary>
    public string Model { get; }

    public List<Message> Messages { get; }

    /// <summary>Index of the last user message; -1 when there is none.</summary>
    public int LastUser { get; }

    /// <summary>The last user message without directives.</summary>
    public string Question { get; }

    /// <summary>What it asks for; replaced by what of it is due once that is known.</summary>
    public Trouble Trouble { get; set; }

    public bool Stream { get; }

    public bool IncludeUsage { get; }

    public int Choices { get; }

    public int? MaxTokens { get; }

    public IReadOnlyList<string> Stop { get; }

    public bool HasLogprobs { get; }

    public int TopLogprobs { get; }

    public Toolbox Tools { get; }

    public AnswerFormat Format { get; }

    /// <summary>What a <see cref="AnswerFormat.JsonSchema"/> answer must satisfy.</summary>
    public JsonElement? Schema { get; }

    /// <summary>The text that the answer is to continue. Null: it starts anew.</summary>
    public string? Prefix => Messages[^1].Role == "assistant" && !Is("restart") ? Messages[^1].Text : null;

    public int PromptTokens => Messages.Sum(m => 3 + Words.Count(m.Text) + (85 * m.Attachments.Count)) + Tools.Tokens;

    /// <summary>Whether the model's name has this word in it, parted by dashes.</summary>
    public bool Is(string variant) => _variants.Contains(variant);

    public static SimulatorRequest Read(JsonElement body)
    {
        var model = ReadModel(body);
        var request = new SimulatorRequest(body, model, Conversation.Read(body));
        if (request.Is("noprefix") && request.Messages[^1].Role == "assistant")
        {
            throw RefusalException.WrongValue(
                "messages", "this model does not continue an assistant message; the conversation must end with a user message.");
        }

        return request;
    }

    /// <summary>The model's name, which every route needs. Names that begin with "missing" are not there.</summary>
    public static string ReadModel(JsonElement body) => CheckModel(body.Text("model"));

    /// <param name="model">From a body or a form; null when it was not there.</param>
    public static string CheckModel(string? model)
    {
        if (string.IsNullOrEmpty(model))
        {
            throw RefusalException.Missing("model");
        }

        return model.StartsWith("missing", StringComparison.Ordinal)
            ? throw RefusalException.UnknownModel(model)
            : model;
    }

    /// <summary>A string, or up to four; empty ones never stop anything.</summary>
    public static List<string> ReadStop(JsonElement body)
    {
        var stop = new List<string>();
        switch (body.Member("stop"))
        {
            case null:
                break;
            case { ValueKind: JsonValueKind.String } one:
                stop.Add(one.GetString()!);
                break;
            case { ValueKind: JsonValueKind.Array } several when several.GetArrayLength() <= 4:
                foreach (var each in several.EnumerateArray())
                {
                    stop.Add(each.ValueKind == JsonValueKind.String
                        ? each.GetString()!
                        : throw RefusalException.WrongType(
                            string.Create(CultureInfo.InvariantCulture, $"stop[{stop.Count}]"), "a string", each.ValueKind));
                }

                break;
            case { ValueKind: JsonValueKind.Array }:
                throw RefusalException.Invalid("stop", "Invalid 'stop': array too long. Expected at most 4.", "array_above_max_length");
            case { } other:
                throw RefusalException.WrongType("stop", "a string or an array of strings", other.ValueKind);
        }

        stop.RemoveAll(string.IsNullOrEmpty);
        return stop;
    }

    private static (AnswerFormat Format, JsonElement? Schema) ReadFormat(JsonElement body)
    {
        if (body.Object("response_format") is not { } format)
        {
            return (AnswerFormat.Text, null);
        }

        const string Path = "response_format.";
        switch (format.RequiredText("type", Path))
        {
            case "text":
                return (AnswerFormat.Text, null);
            case "json_object":
                return (AnswerFormat.JsonObject, null);
            case "json_schema":
                var named = format.Object("json_schema", Path) ?? throw RefusalException.Missing(Path + "json_schema");
                _ = named.RequiredText("name", Path + "json_schema.");
                return (AnswerFormat.JsonSchema, named.Object("schema", Path + "json_schema."));
            case var other:
                throw RefusalException.WrongValue(
                    Path + "type", $"'{other}'. Supported values are: text, json_object, json_schema.");
        }
    }
}
