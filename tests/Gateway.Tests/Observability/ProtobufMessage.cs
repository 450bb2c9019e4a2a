using System.Text;

namespace Gateway.Tests.Observability;

/// <summary>Reads protobuf's wire format, without knowing any message.</summary>
internal sealed class ProtobufMessage
{
    private readonly List<(int Field, object Value)> _fields = [];

    public ProtobufMessage(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var tag = Varint(ref bytes);
            object value = (tag & 7) switch
            {
                0 => Varint(ref bytes),
                1 => Fixed(ref bytes, 8),
                2 => Fixed(ref bytes, checked((int)Varint(ref bytes))),
                5 => Fixed(ref bytes, 4),
                var type => throw new InvalidDataException($"Wire type {type}."),
            };
            _fields.Add((checked((int)(tag >> 3)), value));
        }
    }

    public IEnumerable<ProtobufMessage> Messages(int field) =>
        _fields.Where(f => f.Field == field).Select(f => new ProtobufMessage((byte[])f.Value));

    public byte[] Bytes(int field) => (byte[]?)_fields.LastOrDefault(f => f.Field == field).Value ?? [];

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public ulong Number(int field) => (ulong?)_fields.LastOrDefault(f => f.Field == field).Value ?? 0;

    public bool Has(int field) => _fields.Any(f => f.Field == field);

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static byte[] Fixed(ref ReadOnlySpan<byte> bytes, int length)
    {
        var value = bytes[..length].ToArray();
        bytes = bytes[length..];
        return value;
    }
}
