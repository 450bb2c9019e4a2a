using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Lines;

/// <summary>
/// Texts to search: made-up words, some common and most rare as in any language, where a word of rank r stands 1/r as often as
/// the first. The first few stand for words such as "the", which are not indexed, and are left out. The same at every run.
/// </summary>
internal sealed class Shelf
{
    private const int Words = 12_000;
    private const int WordsNotIndexed = 30;
    private const int WordsOfText = 90;
    private const int WordsOfQuestion = 6;

    private static readonly string[] Syllables =
        ["ba", "ced", "dor", "fi", "gul", "ha", "jen", "kor", "li", "mos", "na", "pir", "qua", "ru", "sel", "tim", "vor", "wen", "xa", "zu"];

    private readonly Random _random = new(20261121);
    private readonly double[] _upTo = new double[Words];
    private readonly List<string[]> _texts = [];

    public Shelf(int texts)
    {
        var sum = 0.0;
        for (var rank = 0; rank < Words; rank++)
        {
            _upTo[rank] = sum += 1.0 / (rank + WordsNotIndexed);
        }

        for (var text = 0; text < texts; text++)
        {
            _texts.Add([.. Enumerable.Range(0, WordsOfText).Select(_ => Word(NextRank()))]);
        }
    }

    /// <summary>Writes a line of JSON for each text.</summary>
    public void Write(string file) => File.WriteAllLines(
        file,
        _texts.Select((words, number) => string.Create(
            CultureInfo.InvariantCulture, $$"""{"text":"{{string.Join(' ', words)}}.","source":"Page {{number}}"}""")));

    /// <summary>A question about one of the texts, another one each time.</summary>
    public string NextQuestion()
    {
        var text = _texts[_random.Next(_texts.Count)];
        var words = Enumerable.Range(0, WordsOfQuestion).Select(_ => text[_random.Next(text.Length)]);
        return $"What is said about {string.Join(' ', words)}?";
    }

    private int NextRank()
    {
        var found = Array.BinarySearch(_upTo, _random.NextDouble() * _upTo[^1]);
        return Math.Min(found < 0 ? ~found : found, Words - 1);
    }

    private static string Word(int rank)
    {
        var word = new StringBuilder();
        for (var left = rank + Syllables.Length; left > 0; left /= Syllables.Length)
        {
            word.Append(Syllables[left % Syllables.Length]);
        }

        return word.ToString();
    }
}
