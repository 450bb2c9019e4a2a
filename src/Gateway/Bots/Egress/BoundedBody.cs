namespace Gateway.Bots.Egress;

/// <summary>Reads no more than was asked for of what somebody else sends.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 16 * 1024;

    /// <returns>The begin of the stream, and whether there was more.</returns>
    public static async Task<(byte[] Bytes, bool IsCut)> ReadAsync(Stream stream, int most, CancellationToken cancel)
    {
        var buffer = new byte[Math.Min(FirstBytes, most + 1)];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, most + 1L));
            }

            var read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
            length += read;
            if (read == 0 || length > most)
            {
                return (buffer[..Math.Min(length, most)], length > most);
            }
        }
    }
}
