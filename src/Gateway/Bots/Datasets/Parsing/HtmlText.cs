using System.Text;
using AngleSharp.Dom;
using Gateway.Bots.Web;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>
/// The text of a page, with its headings, lists and tables as Markdown has them. Walks without recursion: a page of a
/// hundred thousand nested elements must not end the process.
/// </summary>
internal static class HtmlText
{
    private const int MostCharacters = 16_000_000;
    private const int MostElements = 500_000;

    private static readonly HashSet<string> Unread = new(StringComparer.OrdinalIgnoreCase)
    {
        "script", "style", "noscript", "template", "head", "svg", "iframe", "object", "canvas", "nav", "button", "select",
    };

    private static readonly HashSet<string> Blocks = new(StringComparer.OrdinalIgnoreCase)
    {
        "address", "article", "aside", "blockquote", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
        "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "ol", "p", "pre", "section", "table", "ul",
    };

    /// <exception cref="UnreadableFileException">It is too large.</exception>
    public static (string Title, string Text) Read(string html, CancellationToken cancel)
    {
        if (html.Length > MostCharacters)
        {
            throw new UnreadableFileException($"the page has more than {MostCharacters} characters.");
        }

        using var document = PageParser.Parse(html, MostElements, out var isCut);
        if (isCut)
        {
            throw new UnreadableFileException($"the page has more than {MostElements} elements, or is nested too deep.");
        }

        var text = new StringBuilder();
        INode? node = document.Body;
        while (node is not null)
        {
            cancel.ThrowIfCancellationRequested();
            var enters = Enter(node, text);
            if (enters && node.FirstChild is { } child)
            {
                node = child;
                continue;
            }

            Leave(node, text);
            while (node is not null && node != document.Body && node.NextSibling is null)
            {
                node = node.Parent;
                if (node is not null)
                {
                    Leave(node, text);
                }
            }

            node = node is null || node == document.Body ? null : node.NextSibling;
        }

        return (document.Title?.Trim() ?? "", Tidy(text));
    }

    /// <summary>Whether what is inside is read too.</summary>
    private static bool Enter(INode node, StringBuilder text)
    {
        if (node is IText run)
        {
            AppendWords(run.Data, text, IsPreformatted(run));
            return false;
        }

        if (node is not IElement element || Unread.Contains(element.LocalName) || element.HasAttribute("hidden"))
        {
            return false;
        }

        switch (element.LocalName)
        {
            case "br":
                text.Append('\n');
                break;
            case ['h', >= '1' and <= '6' and var level]:
                text.Append("\n\n").Append('#', level - '0').Append(' ');
                break;
            case "li":
                text.Append("\n- ");
                break;
            case "tr":
                text.Append('\n');
                break;
            case "td" or "th" when element.PreviousElementSibling is not null:
                text.Append(" | ");
                break;
            default:
                if (Blocks.Contains(element.LocalName))
                {
                    text.Append("\n\n");
                }

                break;
        }

        return true;
    }

    private static void Leave(INode node, StringBuilder text)
    {
        if (node is IElement element && Blocks.Contains(element.LocalName))
        {
            text.Append("\n\n");
        }
    }

    private static bool IsPreformatted(INode node) => node.Parent is IElement { LocalName: "pre" } or IElement { ParentElement.LocalName: "pre" };

    private static void AppendWords(string data, StringBuilder text, bool isPreformatted)
    {
        if (isPreformatted)
        {
            text.Append(data);
            return;
        }

        foreach (var c in data)
        {
            if (!char.IsWhiteSpace(c))
            {
                text.Append(c);
            }
            else if (text.Length > 0 && !char.IsWhiteSpace(text[^1]))
            {
                text.Append(' ');
            }
        }
    }

    /// <summary>No spaces at the ends of lines, and no more than one empty line.</summary>
    private static string Tidy(StringBuilder text)
    {
        var tidy = new StringBuilder(text.Length);
        var empty = 0;
        foreach (var line in text.ToString().Split('\n').Select(l => l.TrimEnd()))
        {
            empty = line.Length == 0 ? empty + 1 : 0;
            if (empty < 2 && (tidy.Length > 0 || line.Length > 0))
            {
                tidy.Append(line).Append('\n');
            }
        }

        return tidy.ToString().TrimEnd();
    }
}
