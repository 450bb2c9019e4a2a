using System.Globalization;
using System.Text;

namespace Gateway.Bots.Datasets;

/// <summary>
/// What was found, for a model: the owner's instruction, or ours, and behind it the passages with the numbers by which they
/// are cited. The passages are data; the instruction is not, and stands outside of their frame.
/// </summary>
internal static class FoundText
{
    private const string Match = "Use what is relevant of these passages, and put the number of a passage you use, such as [1], behind what it supports.";
    private const string Mismatch = "Nothing was found. Do not make up an answer: say that it is not known, or search with other words.";

    public static string Of(Dataset dataset, SearchResult found, Citations citations) => found.Hits.Count == 0
        ? Instruction(dataset, isMatch: false)
        : $"{Instruction(dataset, isMatch: true)}\n\n{Data(dataset, found, citations)}";

    public static string Instruction(Dataset dataset, bool isMatch) => isMatch
        ? dataset.MatchInstruction is { Length: > 0 } match ? match : Match
        : dataset.MismatchInstruction is { Length: > 0 } mismatch ? mismatch : Mismatch;

    public static string Data(Dataset dataset, SearchResult found, Citations citations)
    {
        var text = new StringBuilder();
        foreach (var hit in found.Hits)
        {
            var title = hit.Title.Length > 0 ? hit.Title : dataset.Name;
            var number = citations.Number(hit.Url is null
                ? new Citation(title, null, hit.Record.ToString(), title)
                : new Citation(title, hit.Url, null, null));
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "\n\n" : "")}[{number}] {title}{(hit.Url is null ? "" : $" ({hit.Url})")}\n{hit.Text}");
        }

        return DataText.Of($"passages of {dataset.Name}", text.ToString());
    }
}
