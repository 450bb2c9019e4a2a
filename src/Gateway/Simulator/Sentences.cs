using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>Cuts what the simulator was given into sentences, and picks those that a question is about.</summary>
internal static class Sentences
{
    private const int MaxSentences = 400;

    /// <summary>Sentences of a text; of a JSON text, its objects as "name: value, name: value".</summary>
    public static List<string> Of(string text)
    {
        var found = new List<string>();
        if (text.AsSpan().TrimStart() is ['{' or '[', ..] && TryJson(text, found))
        {
            return found;
        }

        var start = 0;
        for (var at = 0; at < text.Length && found.Count < MaxSentences; at++)
        {
            var endsLine = text[at] == '\n';
            var endsSentence = text[at] is '.' or '!' or '?' && (at + 1 == text.Length
                || char.IsWhiteSpace(text[at + 1]));
            if (endsLine || endsSentence)
            {
                Add(found, text[start..(at + 1)]);
                start = at + 1;
            }
        }

        Add(found, text[start..]);
        return found;
    }

    /// <summary>
    /// The one or two sentences that share most words with the question, in the order they were given. A word counts
    /// for
    /// more the fewer sentences have it. Empty when none shares a word.
    /// </summary>
    public static List<string> About(string question, IReadOnlyList<string> sentences)
    {
        var asked = Words.Stems(question);
        var shared = sentences.Select(s => Words.Stems(s).Where(asked.Contains).ToList()).ToList();
        var rarity = shared.SelectMany(stems => stems).GroupBy(stem => stem).ToDictionary(g => g.Key, g => 1.0 / g.Count());
        var scores = shared.Select(stems => stems.Sum(stem => rarity[stem])).ToList();
        var best = scores.DefaultIfEmpty(0).Max();
        if (best <= 0)
        {
            return [];
        }

        return [.. Enumerable.Range(0, sentences.Count)
            .Where(i => scores[i] > best / 2)
            .OrderByDescending(i => scores[i])
            .Take(2)
            .Order()
            .Select(i => sentences[i])];
    }

    /// <summary>What was said to the assistant, as the assistant says it of itself.</summary>
    public static string InFirstPerson(string sentence)
    {
        (string Said, string Says)[] turns = [("You are ", "I am "), ("You're ", "I'm "), ("Your ", "My "), ("You ", "I ")];
        foreach (var (said, says) in turns)
        {
            if (sentence.StartsWith(said, StringComparison.Ordinal))
            {
                return says + sentence[said.Length..];
            }
        }

        return sentence;
    }

    private static void Add(List<string> found, string sentence)
    {
        var trimmed = sentence.Trim().TrimStart('#', '-', '*', ' ');
        if (trimmed.Length > 0 && found.Count < MaxSentences)
        {
            found.Add(trimmed);
        }
    }

    private static bool TryJson(string text, List<string> found)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            Flatten(document.RootElement, null, found);
            return found.Count > 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            found.Clear();
            return false;
        }
    }

    private static void Flatten(JsonElement value, string? name, List<string> found)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
            {
                Flatten(item, name, found);
            }

            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            Add(found, name is null ? value.ToString() : $"{name}: {value}");
            return;
        }

        var scalars = value.EnumerateObject().Where(p => p.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array));
        Add(found, string.Join(", ", scalars.Select(p => $"{p.Name}: {p.Value}")));
        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            {
                Flatten(property.Value, property.Name, found);
            }
        }
    }
}
