using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Simulator;

/// <summary>
/// Composes what the simulator says. Everything in it comes from the request; nothing is known, nothing is random.
/// </summary>
internal static partial class Answers
{
    private const int MaxWords = 100_000;
    private const int MaxQuoted = 300;
    public const string SayMark = "say:";

    public static List<Reply> Compose(SimulatorRequest request)
    {
        var calls = ToolUse.Choose(request);
        var replies = new List<Reply>(request.Choices);
        for (var choice = 0; choice < request.Choices; choice++)
        {
            replies.Add(calls.Count > 0 ? Calling(request, calls, choice) : Saying(request, choice));
        }

        return replies;
    }

    private static Reply Calling(SimulatorRequest request, List<ToolCall> calls, int choice)
    {
        // A legacy answer has room for one call only.
        var made = request.Tools.IsLegacy ? calls[..1] : calls;
        var own = choice == 0
            ? made
            : made.ConvertAll(c => c with { Id = string.Create(CultureInfo.InvariantCulture, $"{c.Id}_{choice}") });
        var finish = request.Tools.IsLegacy ? "function_call" : "tool_calls";
        return new Reply(null, Reasoning(request), own, request.Trouble.FinishReason ?? finish);
    }

    private static Reply Saying(SimulatorRequest request, int choice)
    {
        var isReworded = request.Is("paraphrase") || choice > 0;
        var whole = Whole(request, isReworded, choice);
        var text = request.Prefix is { } prefix ? Continue(whole, prefix) : whole;
        var reasoning = Reasoning(request);
        var left = request.MaxTokens - (reasoning is null ? 0 : Words.Count(reasoning));
        var (limited, finish) = Reply.Limit(text, request.Stop, left is null ? null : Math.Max(left.Value, 0));
        return new Reply(limited, reasoning, [], request.Trouble.FinishReason ?? finish);
    }

    /// <summary>The answer from its first word, as if nothing of it had been said yet.</summary>
    private static string Whole(SimulatorRequest request, bool isReworded, int choice)
    {
        if (request.Trouble.HugeBytes > 0)
        {
            return Filler(request.Trouble.HugeBytes);
        }

        if (request.Format == AnswerFormat.JsonSchema && request.Schema is { } schema)
        {
            return new SchemaInstance(schema, Spoken(request)).ToJson();
        }

        if (request.Format != AnswerFormat.Text)
        {
            return Encoding.UTF8.GetString(JsonText.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("answer", Spoken(request));
                json.WriteEndObject();
            }));
        }

        if (Title.Of(request.Question) is { } title)
        {
            return title;
        }

        if (WordsWanted(request.Question) is { } count)
        {
            return Numbered(count, isReworded ? 't' : 'w');
        }

        if (request.Question.StartsWith(SayMark, StringComparison.Ordinal))
        {
            return request.Question[SayMark.Length..].TrimStart(' ');
        }

        var spoken = Spoken(request);
        return (isReworded, choice) switch
        {
            (false, _) => spoken,
            (_, 0) => $"In other words: {spoken}",
            _ => string.Create(CultureInfo.InvariantCulture, $"Put differently ({choice + 1}): {spoken}"),
        };
    }

    /// <summary>What is left of a text of which the beginning was said, exactly or in other words.</summary>
    private static string Continue(string whole, string said) =>
        whole.StartsWith(said, StringComparison.Ordinal)
            ? whole[said.Length..]
            : whole[Words.LengthOf(whole, Words.Count(said))..];

    private static string Spoken(SimulatorRequest request)
    {
        var seen = request.LastUser < 0 ? [] : request.Messages[request.LastUser].Attachments;
        var start = seen.Count == 0 ? "" : $"I was given {string.Join(" and ", seen)}. ";
        return start + FromWhatWasGiven(request);
    }

    private static string FromWhatWasGiven(SimulatorRequest request)
    {
        var question = ToolUse.WithoutCalls(request.Question).Trim();
        var results = request.Messages.Skip(request.LastUser + 1)
            .Where(m => m.IsToolResult).Select(m => m.Text).ToList();
        if (results.Count > 0)
        {
            var about = Sentences.About(question, [.. results.SelectMany(Sentences.Of)]);
            return about.Count > 0
                ? string.Join(' ', about)
                : $"The tools answered: {Quote(string.Join(" | ", results))}";
        }

        var instructions = request.Messages
            .Where(m => m.Role is "system" or "developer").SelectMany(m => Sentences.Of(m.Text)).ToList();
        var earlier = request.Messages.Where(m => m.IsToolResult).SelectMany(m => Sentences.Of(m.Text));
        var found = Sentences.About(question, [.. instructions, .. earlier]);
        if (found.Count == 0 && AsksWhoAnswers(question))
        {
            found = [.. instructions.Where(s => s.StartsWith("You are ", StringComparison.Ordinal)).Take(1)];
        }

        return found.Count > 0 ? string.Join(' ', found.Select(Sentences.InFirstPerson)) : Honest(question);
    }

    private static bool AsksWhoAnswers(string question)
    {
        var words = Words.Split(question).ToHashSet(StringComparer.Ordinal);
        return (words.Contains("who") || words.Contains("what")) && words.Contains("you");
    }

    private static string Honest(string question)
    {
        const string WhatIAm = "I am a simulator, a rule-based stand-in for a language model";
        if (question.Length == 0)
        {
            return WhatIAm + ".";
        }

        var isGreeting = Words.Split(question).Take(1).Any(w => w is "hello" or "hi" or "hey" or "ping");
        return isGreeting
            ? $"Hello! {WhatIAm}. You said: \"{Quote(question)}\""
            : $"{WhatIAm}, and nothing that I was given is about this: \"{Quote(question)}\"";
    }

    private static string Quote(string text) => text.Length <= MaxQuoted ? text : text[..MaxQuoted] + "…";

    private static string? Reasoning(SimulatorRequest request) => !request.Is("reasoning")
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"The question has {Words.Count(request.Question)} tokens. I look for sentences that share its words.");

    private static int? WordsWanted(string question)
    {
        var match = WordsMark().Match(question);
        if (!match.Success)
        {
            return null;
        }

        return int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MaxWords
            ? count
            : throw RefusalException.Invalid(null, $"The simulator says at most {MaxWords} words.", "invalid_directive");
    }

    private static string Numbered(int count, char letter)
    {
        var text = new StringBuilder(count * 6);
        for (var i = 1; i <= count; i++)
        {
            text.Append(i > 1 ? " " : "").Append(letter).Append(i);
        }

        return text.ToString();
    }

    /// <summary>Words of 1023 letters and a space, so that a huge answer is not a million chunks.</summary>
    private static string Filler(int length) =>
        string.Create(length, 0, (span, _) =>
        {
            span.Fill('x');
            for (var i = 1023; i < span.Length; i += 1024)
            {
                span[i] = ' ';
            }
        });

    [GeneratedRegex(@"\bwords:(\d+)")]
    private static partial Regex WordsMark();
}
