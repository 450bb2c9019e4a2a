using AngleSharp.Dom;

namespace Gateway.Bots.Web;

/// <param name="Href">Absolute, http or https.</param>
internal sealed record PageLink(string Text, string Href);

/// <summary>A page as text: what its readers came for, without menus, scripts and what is hidden. Pure.</summary>
/// <param name="Title">Empty: it has none.</param>
internal sealed record ReadablePage(string Title, string Text, IReadOnlyList<PageLink> Links)
{
    private const int MostLinks = 40;
    private const int LongestTitle = 200;

    /// <summary>A main part that is shorter is not the page's content but a frame of it.</summary>
    private const int ShortestMain = 200;

    private const string Hidden =
        "script,style,noscript,template,svg,canvas,iframe,object,nav,form,dialog,[hidden],[aria-hidden=true],[role=navigation],[role=banner],[style*='display:none' i],[style*='display: none' i]";

    /// <summary>Of a whole page, not of an article.</summary>
    private const string Frame = "body>header,body>footer,body>aside";

    /// <param name="url">Where it was read, for its links.</param>
    public static ReadablePage Read(string html, Uri url)
    {
        using var document = PageParser.Parse(html);
        foreach (var element in document.QuerySelectorAll($"{Hidden},{Frame}").ToList())
        {
            element.Remove();
        }

        var main = document.QuerySelectorAll("main,article,[role=main]").OrderByDescending(e => e.TextContent.Length).FirstOrDefault();
        IElement? root = main?.TextContent.Trim().Length >= ShortestMain ? main : document.Body;
        if (root is null)
        {
            return new ReadablePage("", "", []);
        }

        var title = PageText.OneLine(document.Title is { Length: > 0 } named ? named : document.QuerySelector("h1")?.TextContent ?? "");
        return new ReadablePage(title.Length <= LongestTitle ? title : title[..LongestTitle], PageText.Of(root), LinksOf(root, BaseOf(document, url)));
    }

    private static Uri BaseOf(IDocument document, Uri url) =>
        document.QuerySelector("base[href]")?.GetAttribute("href") is { } href && Uri.TryCreate(url, href, out var own) ? own : url;

    private static List<PageLink> LinksOf(IElement root, Uri from)
    {
        var links = new List<PageLink>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var anchor in root.QuerySelectorAll("a[href]"))
        {
            if (links.Count < MostLinks
                && PageText.OneLine(anchor.TextContent) is { Length: > 0 } text
                && Uri.TryCreate(from, anchor.GetAttribute("href"), out var to)
                && to.Scheme is "http" or "https" && to.UserInfo.Length == 0
                && seen.Add(to.GetLeftPart(UriPartial.Query)))
            {
                links.Add(new PageLink(text.Length <= 100 ? text : text[..100] + "…", to.AbsoluteUri));
            }
        }

        return links;
    }
}
