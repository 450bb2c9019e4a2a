namespace Gateway.Simulator;

/// <summary>One choice of an answer.</summary>
/// <param name="Text">Null when it calls tools.</param>
/// <param name="Reasoning">What is said before the answer. Null with most models.</param>
internal sealed record Reply(string? Text, string? Reasoning, List<ToolCall> Calls, string FinishReason)
{
    public int ReasoningTokens => Reasoning is null ? 0 : Words.Count(Reasoning);

    public int CompletionTokens =>
        ReasoningTokens + (Text is null
            ? 0
            : Words.Count(Text)) + Calls.Sum(c => Words.Count(c.Name) + Words.Count(c.Arguments));

    /// <summary>Ends a text at the first stop sequence, or after so many tokens.</summary>
    public static (string Text, string FinishReason) Limit(string text, IReadOnlyList<string> stop, int? maxTokens)
    {
        var finish = "stop";
        foreach (var end in stop)
        {
            var at = text.IndexOf(end, StringComparison.Ordinal);
            text = at < 0 ? text : text[..at];
        }

        if (maxTokens is { } most && Words.LengthOf(text, most) is var length && length < text.Length)
        {
            text = text[..length];
            finish = "length";
        }

        return (text, finish);
    }
}

/// <summary>Tokens of a request and its whole answer.</summary>
internal readonly record struct Usage(int Prompt, int Completion, int Reasoning)
{
    public static Usage Of(int prompt, IReadOnlyList<Reply> replies) =>
        new(prompt, replies.Sum(r => r.CompletionTokens), replies.Sum(r => r.ReasoningTokens));
}
