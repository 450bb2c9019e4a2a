using System.Text;
using Gateway.Bots.Web;

namespace Gateway.Tests.Bots.Web;

/// <summary>Pages as text.</summary>
public sealed class ReadablePageTests
{
    private static readonly Uri Here = new("https://example.com/a/b");

    [Theory]
    [InlineData("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo\nlines")]
    [InlineData("<h2>Head</h2>text<ul><li>a</li><li><p>b</p></li></ul>", "## Head\n\ntext\n\n- a\n- b")]
    [InlineData("<table><tr><th>Name</th><th>Age</th></tr><tr><td>Anna</td><td>5</td></tr></table>", "Name | Age\nAnna | 5")]
    [InlineData("a <b>b</b><i>c</i>\n  d", "a bc d")]
    [InlineData("<pre>x\n  y</pre>", "x\n  y")]
    [InlineData("<script>no</script><style>no</style><noscript>no</noscript><p hidden>no</p><p aria-hidden=true>no</p><p style='color:red;display:none'>no</p><svg><text>no</text></svg>yes", "yes")]
    [InlineData("<header>Top</header><nav>Menu</nav><p>Text</p><footer>End</footer>", "Text")]
    [InlineData("&lt;b&gt; &amp; &euro;", "<b> & \u20ac")]
    [InlineData("", "")]
    [InlineData("<p>open", "open")]
    public void Text_keeps_its_structure_and_loses_what_readers_do_not_come_for(string html, string text) =>
        Assert.Equal(text, ReadablePage.Read(html, Here).Text);

    [Fact]
    public void The_main_part_is_the_page_where_there_is_one()
    {
        var main = string.Concat(Enumerable.Repeat("Long enough to be the content. ", 10)).Trim();

        Assert.Equal(main, ReadablePage.Read($"<div>Around</div><main><p>{main}</p></main><div>More</div>", Here).Text);
        Assert.Equal("Around\n\nShort", ReadablePage.Read("<div>Around</div><main>Short</main>", Here).Text);
    }

    [Fact]
    public void Links_are_absolute_and_each_once()
    {
        var page = ReadablePage.Read(
            "<base href='/base/'><a href='x'>X</a><a href='x#top'>Again</a><a href='https://o.test/?q=1'>O</a><a href='mailto:a@b.test'>M</a><a href='http://u:p@o.test'>U</a><a href='y'> </a>",
            Here);

        Assert.Equal([new("X", "https://example.com/base/x"), new PageLink("O", "https://o.test/?q=1")], page.Links);
    }

    [Theory]
    [InlineData("<div>", 20_000)]
    [InlineData("<p>x", 20_000)]
    [InlineData("<a href=x><p>", 20_000)]
    [InlineData("<b><table><td>", 5_000)]
    public void A_page_that_opens_more_than_it_closes_is_read_as_far_as_that_makes_sense(string piece, int times)
    {
        var unclosed = string.Concat(Enumerable.Range(0, 200).Select(i => $"<b id={i}>"));

        Assert.StartsWith("Begin", ReadablePage.Read($"<p>Begin</p>{unclosed}{string.Concat(Enumerable.Repeat(piece, times))}", Here).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("caf\u00e9", "utf-8", null, false)]
    [InlineData("caf\u00e9", "utf-8", "UTF-8", false)]
    [InlineData("caf\u00e9", "windows-1252", "iso-8859-1", false)]
    [InlineData("caf\u00e9", "windows-1252", null, false)]
    [InlineData("<meta charset=windows-1251>\u0434\u0430", "windows-1251", null, true)]
    [InlineData("<meta http-equiv=content-type content='text/html; charset=shift_jis'>\u65e5\u672c", "shift_jis", null, true)]
    [InlineData("caf\u00e9", "utf-8", "no-such-thing", false)]
    [InlineData("\ufeffcaf\u00e9", "utf-16", null, false)]
    public void Text_is_decoded_by_what_is_said_of_it_or_how_it_looks(string text, string encoding, string? charset, bool isHtml)
    {
        var bytes = (CodePagesEncodingProvider.Instance.GetEncoding(encoding) ?? Encoding.GetEncoding(encoding)).GetBytes(text);

        Assert.Equal(text.TrimStart('\ufeff'), TextDecoding.Decode(bytes, charset, isHtml));
    }
}
