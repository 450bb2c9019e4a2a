using System.Text;
using Gateway.Upstream;

namespace Gateway.Bots.Datasets;

/// <param name="Text">With the headings above it.</param>
/// <param name="Tokens">Estimated.</param>
internal sealed record Piece(string Text, int Tokens);

/// <summary>
/// Cuts a text into pieces that can be found and read alone: by headings, then paragraphs, then sentences, then words, so
/// that each piece is as whole as its size allows. Pure; the same text gives the same pieces.
/// </summary>
internal static class Chunker
{
    /// <param name="chunkTokens">Most tokens of a piece, the headings above it included.</param>
    /// <param name="overlapTokens">What a piece repeats of the one before it, where a paragraph had to be cut.</param>
    public static IReadOnlyList<Piece> Split(string text, int chunkTokens, int overlapTokens)
    {
        var pieces = new List<Piece>();
        foreach (var section in Section.Read(text))
        {
            Split(section, Math.Max(16, chunkTokens), overlapTokens, pieces);
        }

        return pieces;
    }

    private static void Split(Section section, int chunkTokens, int overlapTokens, List<Piece> pieces)
    {
        var path = TokenText.Cut(section.Path, chunkTokens / 4);
        var most = chunkTokens - PromptEstimate.Text(path);
        var overlap = Math.Min(overlapTokens, most / 2);
        var open = new StringBuilder();
        var tokens = 0;
        foreach (var paragraph in section.Paragraphs)
        {
            var own = PromptEstimate.Text(paragraph) + 1;
            if (tokens > 0 && tokens + own > most)
            {
                Close();
            }

            if (own <= most)
            {
                open.Append(open.Length > 0 ? "\n\n" : "").Append(paragraph);
                tokens += own;
                continue;
            }

            foreach (var part in TokenText.Cut(paragraph, most, overlap))
            {
                open.Append(part);
                Close();
            }
        }

        Close();

        void Close()
        {
            var body = open.ToString().Trim();
            if (body.Length > 0 || (section.Paragraphs.Count == 0 && path.Length > 0))
            {
                var whole = path.Length == 0 ? body : body.Length == 0 ? path : $"{path}\n\n{body}";
                pieces.Add(new Piece(whole, PromptEstimate.Text(whole)));
            }

            open.Clear();
            tokens = 0;
        }
    }
}
