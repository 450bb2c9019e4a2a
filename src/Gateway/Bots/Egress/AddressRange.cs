using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Bots.Egress;

/// <summary>
/// An address, or a network as its first address and the length of its prefix. Not <see cref="IPNetwork"/>, which takes an IPv4
/// address that is mapped into IPv6 for part of 2000::/3. Immutable.
/// </summary>
internal sealed class AddressRange
{
    private readonly byte[] _prefix;
    private readonly int _length;

    private AddressRange(byte[] prefix, int length) => (_prefix, _length) = (prefix, length);

    /// <summary>Null when it is neither an address nor a network. 10.1.2.3/16 is meant as 10.1.0.0/16.</summary>
    public static AddressRange? Read(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var written = (slash < 0 ? text : text[..slash]).Trim('[', ']');
        if (!IPAddress.TryParse(written, out var address) || written.Contains('%', StringComparison.Ordinal)
            // 10.1 is 10.0.0.1 to some and nothing to others.
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != written))
        {
            return null;
        }

        var prefix = address.GetAddressBytes();
        var length = 8 * prefix.Length;
        return slash < 0 || (int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length) && length <= 8 * prefix.Length)
            ? new AddressRange(prefix, length)
            : null;
    }

    public bool Contains(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        if (bytes.Length != _prefix.Length)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            var shared = Math.Clamp(_length - (8 * i), 0, 8);
            if (((bytes[i] ^ _prefix[i]) & (0xFF00 >> shared) & 0xFF) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
