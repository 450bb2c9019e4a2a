using System.IO.Compression;
using System.Text;
using System.Text.Json;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Wordprocessing;
using Gateway.Bots.Datasets.Parsing;

namespace Gateway.Tests.Bots.Datasets;

public sealed class FileParserTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("notes/a.txt", "The plant is watered on Mondays.")]
    [InlineData("a.md", "# Plants\n\nThey are watered on Mondays.")]
    [InlineData("A.TXT", "Größe: 3 m², naïve — 日本語 🌱")]
    public async Task A_text_is_one_record_named_after_its_file(string name, string text)
    {
        var record = Assert.Single(await ParseAsync(name, text));

        Assert.Equal(text, record.Text);
        Assert.Equal(name[(name.LastIndexOf('/') + 1)..], record.Source);
    }

    [Fact]
    public async Task Utf16_with_a_byte_order_mark_is_read()
    {
        byte[] bytes = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("Grüße\r\nan alle")];

        Assert.Equal("Grüße\nan alle", Assert.Single(await FileParser.ParseAsync("a.txt", bytes, Cancel)).Text);
    }

    [Fact]
    public async Task A_page_is_read_as_its_text()
    {
        const string Page = """
            <html><head><title>Opening  hours</title><style>p{}</style></head><body><nav>Home</nav><script>alert(1)</script>
            <h1>Shop</h1><p>Open   <b>daily</b>.<ul><li>Mon: 9</li><li>Tue: 10</li></ul>
            <h2>Prices</h2><table><tr><th>What</th><th>EUR</th></tr><tr><td>Tea</td><td>3</td></tr></table><pre>a
              b</pre></body></html>
            """;

        var record = Assert.Single(await ParseAsync("a.html", Page));

        Assert.Equal("Opening hours", record.Source);
        Assert.Equal("# Shop\n\nOpen daily.\n\n- Mon: 9\n- Tue: 10\n\n## Prices\n\nWhat | EUR\nTea | 3\n\na\n  b", record.Text.Replace(" \n", "\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Columns_of_a_table_are_what_their_names_say()
    {
        const string Table = "Text,source,url,year,metadata\n\"Tea, green\",Menu,https://shop.test/tea,2020,\"{\"\"kind\"\":\"\"drink\"\"}\"\nCake,,javascript:alert(1),,\n";

        var records = await ParseAsync("a.csv", Table);

        Assert.Equal(new ParsedRecord("Tea, green", "Menu", "https://shop.test/tea", """{"kind":"drink","year":2020}"""), records[0]);
        Assert.Equal(new ParsedRecord("Cake", "", null, "{}"), records[1]);
    }

    [Theory]
    [InlineData("a.csv", "name;price\nTea;3\nCake;4\n")]
    [InlineData("a.json", """[{"name":"Tea","price":3},{"name":"Cake","price":4}]""")]
    [InlineData("a.json", """{"data":[{"name":"Tea","price":3},{"name":"Cake","price":4}]}""")]
    [InlineData("a.jsonl", "{\"name\":\"Tea\",\"price\":3}\n\n{\"name\":\"Cake\",\"price\":4}\n")]
    public async Task A_row_without_a_text_is_a_record_of_its_names_and_values(string name, string text) =>
        Assert.Equal(["name: Tea\nprice: 3", "name: Cake\nprice: 4"], (await ParseAsync(name, text)).Select(r => r.Text));

    [Fact]
    public async Task Objects_are_what_their_members_say()
    {
        var records = await ParseAsync("a.json", """[{"text":"Tea","url":"http://a.test/","metadata":{"a":[1]},"year":2020,"no":null},"Cake"]""");

        Assert.Equal(new ParsedRecord("Tea", "", "http://a.test/", """{"a":[1],"year":2020}"""), records[0]);
        Assert.Equal("Cake", records[1].Text);
    }

    [Fact]
    public async Task A_word_document_is_read_with_its_headings()
    {
        using var bytes = new MemoryStream();
        using (var document = WordprocessingDocument.Create(bytes, WordprocessingDocumentType.Document))
        {
            document.AddMainDocumentPart().Document = new Document(new Body(
                new Paragraph(new ParagraphProperties(new ParagraphStyleId { Val = "Heading2" }), new Run(new Text("Leave"))),
                new Paragraph(new Run(new Text("Thirty ") { Space = SpaceProcessingModeValues.Preserve }), new Run(new Text("days.")))));
        }

        Assert.Equal("## Leave\n\nThirty days.", Assert.Single(await FileParser.ParseAsync("a.docx", bytes.ToArray(), Cancel)).Text);
    }

    [Fact]
    public async Task A_pdf_is_read_by_pdftotext()
    {
        var record = Assert.Single(await FileParser.ParseAsync("a.pdf", SmallPdf.Of("The warranty lasts five years."), Cancel));

        Assert.Equal("The warranty lasts five years.", record.Text);
        Assert.Equal("a.pdf", record.Source);
    }

    [Theory]
    [InlineData("a.pdf", "%PDF-1.4 but nothing else", "damaged")]
    [InlineData("a.pdf", "-layout", "no PDF")]
    [InlineData("a.docx", "PK but no archive", "no Word document")]
    [InlineData("a.json", "{\"a\": ", "not JSON")]
    [InlineData("a.jsonl", "{}\n{\"a\":", "line 2")]
    [InlineData("a.json", """["\ud800"]""", "surrogate")]
    [InlineData("a.jsonl", """{"text":"a","metadata":{"b":[1e400000]}}""", "a number in it")]
    [InlineData("a.jsonl", """{"text":"a","b":1e400000}""", "a number in it")]
    [InlineData("a.csv", "a,b\n1,2,3\n", "row 1 has 3 fields")]
    [InlineData("a.csv", "a,b\n\"1,2\n", "quote")]
    [InlineData("a.csv", "", "name the columns")]
    [InlineData("a.txt", "  \n ", "no text")]
    [InlineData("a.txt", "a\0b", "NUL")]
    [InlineData("a.exe", "MZ", ".pdf")]
    public async Task What_cannot_be_read_says_why(string name, string text, string why) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<UnreadableFileException>(() => ParseAsync(name, text))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Another_encoding_says_so() =>
        Assert.Contains("UTF-8", await RefusedAsync("a.txt", Encoding.Latin1.GetBytes("Grüße")), StringComparison.Ordinal);

    [Fact]
    public async Task A_line_of_a_hundred_megabytes_is_refused()
    {
        var line = new byte[100_000_000];
        line.AsSpan().Fill((byte)'a');

        Assert.Contains("line 1", await RefusedAsync("a.jsonl", line), StringComparison.Ordinal);
        Array.Resize(ref line, 20_000_000);
        Assert.Contains("more than", await RefusedAsync("a.txt", line), StringComparison.Ordinal);
        "a\n\""u8.CopyTo(line);
        Assert.Contains("larger than", await RefusedAsync("a.csv", line), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nests_for_ever_is_refused()
    {
        Assert.Contains("deep", await RefusedAsync("a.json", Encoding.UTF8.GetBytes(new string('[', 1_000_000))), StringComparison.Ordinal);
        Assert.Contains("deep", await RefusedAsync("a.html", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<div>", 50_000)) + "a")), StringComparison.Ordinal);
        Assert.Equal("a", Assert.Single(await ParseAsync("a.html", string.Concat(Enumerable.Repeat("<div>", 100)) + "a")).Text);
    }

    [Fact]
    public async Task A_word_document_that_unpacks_into_gigabytes_is_refused()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            await using var part = await archive.CreateEntry("word/document.xml", CompressionLevel.Fastest).OpenAsync(Cancel);
            var zeros = new byte[16 * 1_048_576];
            for (var i = 0; i < 33; i++)
            {
                await part.WriteAsync(zeros, Cancel);
            }
        }

        Assert.Contains("unpacks", await RefusedAsync("a.docx", bytes.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_is_json_that_a_database_takes() =>
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(CsvMetadata("a\0b")).RootElement.ValueKind);

    private static string CsvMetadata(string value)
    {
        var records = new RecordList();
        var fields = new RowFields();
        fields.AddText("text", "some");
        fields.AddString("name", value);
        fields.AddTo(records);
        return records.ToList()[0].Metadata;
    }

    private static Task<IReadOnlyList<ParsedRecord>> ParseAsync(string name, string text) =>
        FileParser.ParseAsync(name, Encoding.UTF8.GetBytes(text), Cancel);

    private static async Task<string> RefusedAsync(string name, byte[] content) =>
        (await Assert.ThrowsAsync<UnreadableFileException>(() => FileParser.ParseAsync(name, content, Cancel))).Message;
}
