using System.Text.Json;
using System.Text.RegularExpressions;

namespace ChatKit;

/// <summary>Reads requests, and says in the caller's words what is wrong with one.</summary>
internal static partial class RequestReader
{
    /// <summary>
    /// Far less deep than what can be written: a request's values are put into items, pages and events. A member that stands
    /// twice is refused, because a free-form object that holds one breaks when it is first looked into.
    /// </summary>
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Operations by name, as <see cref="ChatKitRequest"/> lists them.</summary>
    private static readonly Dictionary<string, Type> Operations = ChatKitJson.Store.GetTypeInfo(typeof(ChatKitRequest))
        .PolymorphismOptions!.DerivedTypes.ToDictionary(kind => (string)kind.TypeDiscriminator!, kind => kind.DerivedType);

    public static ChatKitRequest Read(ReadOnlyMemory<byte> utf8Json)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8Json, Strict);
            var body = document.RootElement;
            RefuseBrokenText(body, string.Empty);
            var request = (ChatKitRequest)body.Deserialize(ChatKitJson.Store.GetTypeInfo(OperationOf(body)))!;
            RefuseNullElements(request);
            return request;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw Invalid(e, null);
        }
    }

    /// <summary>Turns what the serializer says into a message that names the member and no type of ours.</summary>
    /// <param name="below">The path of what was read, null for a whole request.</param>
    public static InvalidRequestException Invalid(Exception error, string? below)
    {
        var path = (error as JsonException)?.Path ?? (PathInMessage().Match(error.Message) is { Success: true } found ? found.Groups[1].Value : null);
        path = Joined(below, path);

        if (MissingMembers().Match(error.Message) is { Success: true } missing)
        {
            var member = QuotedName().Match(missing.Groups[1].Value).Groups[1].Value;
            return new InvalidRequestException($"'{Joined(path, member)}' is required.", Joined(path, member), error);
        }

        if (path is null)
        {
            return new InvalidRequestException(
                error.Message.Contains("uplicate", StringComparison.Ordinal)
                    ? "The body holds an object with two members of one name."
                    : "The body is not a JSON document that can be read.",
                null,
                error);
        }

        var why = error.Message.StartsWith("must be", StringComparison.Ordinal) ? error.Message
            : error is NotSupportedException || error.Message.Contains("discriminator", StringComparison.Ordinal) ? "has no known 'type'"
            : "is null or has the wrong type";
        return new InvalidRequestException($"'{path}' {why}.", path, error);
    }

    private static Type OperationOf(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidRequestException("The body must be a JSON object.");
        }

        if (!body.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
        {
            throw new InvalidRequestException("'type' is required: the name of an operation, for instance 'threads.create'.", "type");
        }

        return Operations.GetValueOrDefault(type.GetString()!)
            ?? throw new InvalidRequestException($"'type' must be one of {string.Join(", ", Operations.Keys.Select(name => $"'{name}'"))}.", "type");
    }

    /// <summary>
    /// Half a surrogate pair is allowed by the syntax but is no text: it would fail much later, when it is stored or sent.
    /// </summary>
    private static void RefuseBrokenText(JsonElement value, string path)
    {
        try
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    _ = value.GetString();
                    break;
                case JsonValueKind.Array:
                    foreach (var (index, element) in value.EnumerateArray().Index())
                    {
                        RefuseBrokenText(element, $"{path}[{index}]");
                    }

                    break;
                case JsonValueKind.Object:
                    foreach (var member in value.EnumerateObject())
                    {
                        RefuseBrokenText(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}");
                    }

                    break;
            }
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidRequestException($"'{path}' holds text that is not valid Unicode.", path, e);
        }
    }

    /// <summary>The serializer refuses null for a member that may not be null, but not for an element of a list.</summary>
    private static void RefuseNullElements(ChatKitRequest request)
    {
        switch (request)
        {
            case ThreadsCreateRequest create:
                Refuse(create.Params.Input);
                break;
            case ThreadsAddUserMessageRequest add:
                Refuse(add.Params.Input);
                break;
            case ItemsFeedbackRequest feedback:
                Refuse(feedback.Params.ItemIds, "params.item_ids");
                break;
            case ThreadsAddStructuredInputRequest answers:
                Refuse(answers.Params.Input.Answers.Values, "params.input.answers");
                foreach (var (id, answer) in answers.Params.Input.Answers)
                {
                    Refuse(answer.Values, $"params.input.answers.{id}.values");
                }

                break;
        }
    }

    private static void Refuse(UserMessageInput input)
    {
        Refuse(input.Content, "params.input.content");
        Refuse(input.Attachments, "params.input.attachments");
    }

    private static void Refuse(IEnumerable<object?> elements, string path)
    {
        if (elements.Any(element => element is null))
        {
            throw new InvalidRequestException($"'{path}' must not hold null.", path);
        }
    }

    /// <summary>Joins paths, the second one possibly in the serializer's form (<c>$.params</c>).</summary>
    private static string? Joined(string? path, string? rest)
    {
        rest = rest?.TrimStart('$').TrimStart('.');
        return string.IsNullOrEmpty(rest) ? path
            : string.IsNullOrEmpty(path) ? rest
            : rest[0] == '[' ? path + rest
            : $"{path}.{rest}";
    }

    [GeneratedRegex(@"missing required properties including: (.+)")]
    private static partial Regex MissingMembers();

    [GeneratedRegex(@"'([^']+)'")]
    private static partial Regex QuotedName();

    [GeneratedRegex(@"Path: (\$\S*)")]
    private static partial Regex PathInMessage();
}
