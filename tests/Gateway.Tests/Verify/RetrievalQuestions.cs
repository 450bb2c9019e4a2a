using System.Text.RegularExpressions;

namespace Gateway.Tests.Verify;

/// <summary>A question that one text of a collection answers.</summary>
/// <param name="Text">Its place in the collection.</param>
internal sealed record RetrievalQuestion(string Words, int Text);

/// <summary>
/// Questions made from texts by rule: the words of a sentence from the middle of a text, every third left out, the rest in
/// the order of the alphabet behind a few that every question has. So nothing can be found as it stands.
/// </summary>
internal static partial class RetrievalQuestions
{
    private const int FewestWords = 9;
    private const int MostWords = 24;

    public static List<RetrievalQuestion> Of(IReadOnlyList<RealText> texts) => Make(
        texts, sentences => sentences[sentences.Count / 2].Where((_, n) => n % 3 != 2).Order(StringComparer.Ordinal));

    /// <summary>The same of any sentence, with any two thirds of its words in any order.</summary>
    public static List<RetrievalQuestion> ByChance(IReadOnlyList<RealText> texts, Random random) => Make(texts, sentences =>
    {
        var words = sentences[random.Next(sentences.Count)].ToArray();
        random.Shuffle(words);
        return words.Take(words.Length - (words.Length / 3));
    });

    private static List<RetrievalQuestion> Make(IReadOnlyList<RealText> texts, Func<List<List<string>>, IEnumerable<string>> choose)
    {
        var questions = new List<RetrievalQuestion>();
        for (var i = 0; i < texts.Count; i++)
        {
            var sentences = Sentence().Split(texts[i].Text.Replace('\n', ' '))
                .Select(s => Word().Matches(s).Select(w => w.Value.ToLowerInvariant()).Distinct().ToList())
                .Where(words => words.Count is >= FewestWords and <= MostWords).ToList();
            if (sentences.Count > 0)
            {
                questions.Add(new RetrievalQuestion($"what does it say about {string.Join(' ', choose(sentences))}", i));
            }
        }

        return questions;
    }

    [GeneratedRegex(@"(?<=[.!?])\s+")]
    private static partial Regex Sentence();

    [GeneratedRegex(@"\b[A-Za-z][a-z]{3,}\b")]
    private static partial Regex Word();
}
