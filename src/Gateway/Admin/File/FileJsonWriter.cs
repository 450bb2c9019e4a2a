using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Admin.File;

/// <summary>Writes free YAML as JSON: what is quoted stays text, a number keeps its digits, order stays.</summary>
/// <param name="membersOf">The members of a map; reports names that are there twice.</param>
internal sealed class FileJsonWriter(FileScalars scalars, Func<YamlNode, FilePlace, List<FileMember>?> membersOf)
{
    // The text goes into a database column and requests, never into a page: no need to escape what HTML would need.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Write(List<FileMember> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            WriteObject(json, members);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private void WriteObject(Utf8JsonWriter json, List<FileMember> members)
    {
        json.WriteStartObject();
        foreach (var member in members)
        {
            json.WritePropertyName(member.Name);
            WriteValue(json, member.Value, member.At);
        }

        json.WriteEndObject();
    }

    private void WriteValue(Utf8JsonWriter json, YamlNode node, FilePlace at)
    {
        switch (node)
        {
            case YamlMap map:
                WriteObject(json, membersOf(map, at)!);
                break;
            case YamlList list:
                json.WriteStartArray();
                foreach (var (index, item) in list.Items.Index())
                {
                    WriteValue(json, item, at.Item(index, item.Line));
                }

                json.WriteEndArray();
                break;
            default:
                scalars.WriteJson(json, (YamlScalar)node, at);
                break;
        }
    }
}
