namespace Gateway.Simulator;

/// <summary>Names a conversation, as the ChatKit door asks for it: by the first words of what was said.</summary>
internal static class Title
{
    private const string Mark = "Name a conversation that begins so:";
    private const int MostWords = 6;

    /// <summary>Null: no title is asked for.</summary>
    public static string? Of(string question)
    {
        if (!question.StartsWith(Mark, StringComparison.Ordinal))
        {
            return null;
        }

        var said = ToolUse.WithoutCalls(question[Mark.Length..]).Trim();
        said = said.StartsWith(Answers.SayMark, StringComparison.Ordinal) ? said[Answers.SayMark.Length..] : said;
        var title = string.Join(' ', said.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(MostWords))
            .TrimEnd('.', '?', '!', ',', ';', ':');
        return title.Length == 0 ? "A conversation" : char.ToUpperInvariant(title[0]) + title[1..];
    }
}
