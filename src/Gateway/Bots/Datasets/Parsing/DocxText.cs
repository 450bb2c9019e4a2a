using System.IO.Compression;
using System.Text;
using System.Xml;
using DocumentFormat.OpenXml.Packaging;

namespace Gateway.Bots.Datasets.Parsing;

/// <summary>
/// The text of a Word document, headings as Markdown has them. The main part is read as a stream, so that a small file that
/// unpacks into gigabytes, or nests for ever, takes no memory.
/// </summary>
internal static class DocxText
{
    private const string Word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    private const int MostParts = 5_000;
    private const long MostUnpackedBytes = 512L * 1_048_576;
    private const long MostXmlCharacters = 200_000_000;
    private const int MostTextCharacters = ParseLimits.RecordCharacters;

    /// <exception cref="UnreadableFileException">It is no Word document, or too large when unpacked.</exception>
    public static string Read(ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        try
        {
            using var bytes = new MemoryStream(content.ToArray(), writable: false);
            CheckArchive(bytes);
            bytes.Position = 0;
            // Relationships are parsed when the package is opened: those are small, or it is no document.
            using var document = WordprocessingDocument.Open(bytes, isEditable: false, new OpenSettings { MaxCharactersInPart = 50_000_000 });
            var main = document.MainDocumentPart ?? throw new UnreadableFileException("it is no Word document: it has no main part.");
            using var part = main.GetStream(FileMode.Open, FileAccess.Read);
            return Read(part, cancel);
        }
        catch (Exception broken) when (broken is InvalidDataException or FileFormatException or OpenXmlPackageException or XmlException
            or IOException or ArgumentException or InvalidOperationException or NotSupportedException or UriFormatException)
        {
            throw new UnreadableFileException("it is no Word document (.docx), damaged, or too large when unpacked.");
        }
    }

    private static void CheckArchive(Stream bytes)
    {
        using var archive = new ZipArchive(bytes, ZipArchiveMode.Read, leaveOpen: true);
        if (archive.Entries.Count > MostParts || archive.Entries.Sum(e => e.Length) > MostUnpackedBytes)
        {
            throw new UnreadableFileException($"it has more than {MostParts} parts, or unpacks to more than {MostUnpackedBytes >> 20} MiB.");
        }
    }

    private static string Read(Stream part, CancellationToken cancel)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MostXmlCharacters };
        using var xml = XmlReader.Create(part, settings);
        var text = new StringBuilder();
        while (xml.Read())
        {
            cancel.ThrowIfCancellationRequested();
            if (text.Length > MostTextCharacters)
            {
                throw new UnreadableFileException($"its text has more than {MostTextCharacters} characters.");
            }

            if (xml.NamespaceURI == Word || xml.NodeType is XmlNodeType.Text or XmlNodeType.SignificantWhitespace)
            {
                Append(xml, text);
            }
        }

        return text.ToString();
    }

    private static void Append(XmlReader xml, StringBuilder text)
    {
        switch (xml.NodeType, xml.LocalName)
        {
            case (XmlNodeType.Element, "t") when !xml.IsEmptyElement:
                xml.Read();
                if (xml.NodeType is XmlNodeType.Text or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)
                {
                    text.Append(xml.Value);
                }

                break;
            case (XmlNodeType.Element, "pStyle"):
                text.Append(Heading(xml.GetAttribute("val", Word)));
                break;
            case (XmlNodeType.Element, "tab"):
                text.Append('\t');
                break;
            case (XmlNodeType.Element, "br" or "cr"):
                text.Append('\n');
                break;
            case (XmlNodeType.EndElement, "tc"):
                text.Append(" | ");
                break;
            case (XmlNodeType.EndElement, "p"):
                text.Append("\n\n");
                break;
            default:
                break;
        }
    }

    private static string Heading(string? style) => style switch
    {
        "Title" => "# ",
        ['H' or 'h', 'e', 'a', 'd', 'i', 'n', 'g', >= '1' and <= '6' and var level] => new string('#', level - '0') + " ",
        _ => "",
    };
}
