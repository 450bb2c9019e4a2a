using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace Gateway.Bots.Web;

/// <summary>
/// Parses pages of strangers: a page of some kilobytes can be made to mean millions of elements, by tags that are opened and
/// never closed, which the rules of HTML open again in every paragraph. Pure.
/// </summary>
internal static class PageParser
{
    /// <summary>Of a page of a stranger.</summary>
    private const int MostElements = 30_000;
    private const int MostDepth = 256;

    /// <summary>How many elements are made before the depth is looked at again: looking costs as many steps as it is deep.</summary>
    private const int BetweenLooks = 16;

    /// <summary>The page, or its begin where it has too many elements or is nested too deep.</summary>
    public static IDocument Parse(string html) => Parse(html, MostElements, out _);

    /// <param name="isCut">Whether it is only the begin.</param>
    public static IDocument Parse(string html, int mostElements, out bool isCut)
    {
        isCut = false;
        IDocument? begun = null;
        INode? last = null;
        var count = 0;
        var parser = new HtmlParser(new HtmlParserOptions
        {
            MaximumDepth = MostDepth + (2 * BetweenLooks),
            // So that what is for readers without scripts is no part of the text.
            IsScripting = true,
            SkipComments = true,
            OnCreated = (element, _) =>
            {
                begun ??= element.Owner;
                if (++count > mostElements || (count % BetweenLooks == 0 && DepthOf(last) > MostDepth))
                {
                    throw new TooManyElementsException();
                }

                last = element;
            },
        });
        try
        {
            return parser.ParseDocument(html);
        }
        catch (TooManyElementsException) when (begun is not null)
        {
            isCut = true;
            return begun;
        }
    }

    private static int DepthOf(INode? node)
    {
        var depth = 0;
        for (; node is not null; node = node.Parent)
        {
            depth++;
        }

        return depth;
    }

    private sealed class TooManyElementsException : Exception;
}
