using System.Text;
using AngleSharp.Dom;

namespace Gateway.Bots.Web;

/// <summary>The text of an element with its headings, paragraphs, lists and tables. Pure.</summary>
internal sealed class PageText
{
    private static readonly HashSet<string> Blocks = new(StringComparer.OrdinalIgnoreCase)
    {
        "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
        "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "summary", "table",
        "tbody", "tfoot", "thead", "tr", "ul",
    };

    private readonly StringBuilder _text = new();

    /// <summary>Line breaks that stand before whatever comes next.</summary>
    private int _breaks;

    private bool _hasSpace;
    private int _preformatted;

    private PageText()
    {
    }

    /// <summary>Walks without recursion: a page may be nested as deep as its author likes.</summary>
    public static string Of(IElement root)
    {
        var text = new PageText();
        INode? node = root;
        while (node is not null)
        {
            text.Enter(node);
            if (node.FirstChild is { } child)
            {
                node = child;
                continue;
            }

            text.Leave(node);
            while (node != root && node!.NextSibling is null)
            {
                node = node.Parent;
                text.Leave(node!);
            }

            node = node == root ? null : node!.NextSibling;
        }

        return text._text.ToString().Trim();
    }

    public static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private void Enter(INode node)
    {
        if (node is IText words)
        {
            Write(words.Data);
            return;
        }

        switch (node.NodeName.ToLowerInvariant())
        {
            case "br":
                _breaks = Math.Max(_breaks, 1);
                break;
            case "li":
                Break(1);
                Put("- ");
                break;
            case "td" or "th" when node.PreviousSibling is not null && !AtLineStart:
                Put(" | ");
                break;
            case ['h', >= '1' and <= '6' and var level] heading when heading.Length == 2:
                Break(2);
                Put(new string('#', level - '0') + " ");
                break;
            case "tr" or "dt" or "dd":
                Break(1);
                break;
            case "pre":
                Break(2);
                _preformatted++;
                break;
            case var block when Blocks.Contains(block):
                Break(2);
                break;
        }
    }

    private void Leave(INode node)
    {
        switch (node.NodeName.ToLowerInvariant())
        {
            case "pre":
                _preformatted--;
                Break(2);
                break;
            case "li" or "tr" or "dt" or "dd":
                Break(1);
                break;
            case var block when Blocks.Contains(block):
                Break(2);
                break;
        }
    }

    private bool AtLineStart => _breaks > 0 || _text.Length == 0;

    private void Write(string words)
    {
        if (_preformatted > 0)
        {
            Put(words);
            return;
        }

        var isFirst = true;
        foreach (var word in words.Split((char[]?)null))
        {
            // An empty word is where space stood: at the begin, the end, or between two words.
            if (!isFirst || word.Length == 0)
            {
                _hasSpace = true;
            }

            isFirst = false;
            if (word.Length > 0)
            {
                Put(word);
            }
        }
    }

    private void Put(string text)
    {
        if (AtLineStart)
        {
            _text.Append('\n', _text.Length == 0 ? 0 : _breaks);
        }
        else if (_hasSpace && !char.IsWhiteSpace(_text[^1]))
        {
            _text.Append(' ');
        }

        (_breaks, _hasSpace) = (0, false);
        _text.Append(text);
    }

    private void Break(int lines)
    {
        // A list item's text may stand in a paragraph of its own, which starts no new line behind the dash.
        if (_text.Length > 1 && _text[^1] == ' ' && _text[^2] is '-' or '#')
        {
            return;
        }

        _breaks = Math.Max(_breaks, lines);
        _hasSpace = false;
    }
}
