using System.Net;
using System.Net.Sockets;

namespace Gateway.Bots.Egress;

/// <summary>What an address is to a bot.</summary>
internal enum Place
{
    /// <summary>Anybody's on the internet.</summary>
    Public,

    /// <summary>Of the machine or the network that the gateway runs in: for bots when the operator lists it, by name or address.</summary>
    Private,

    /// <summary>Where no service of the operator's lives, such as a cloud's metadata: only when the address itself is listed.</summary>
    Reserved,
}

/// <summary>Which addresses are whose, by IANA's special-purpose registries and the clouds' metadata services. Pure.</summary>
internal static class AddressRules
{
    /// <summary>The first that holds an address decides.</summary>
    private static readonly (AddressRange Range, Place Place, string What)[] V4 =
    [
        Rule("100.100.100.200/32", Place.Reserved, "a metadata address"),
        Rule("168.63.129.16/32", Place.Reserved, "a metadata address"),
        Rule("0.0.0.0/8", Place.Reserved, "an unspecified address"),
        Rule("10.0.0.0/8", Place.Private, "a private address"),
        Rule("100.64.0.0/10", Place.Private, "a private address"),
        Rule("127.0.0.0/8", Place.Private, "a loopback address"),
        Rule("169.254.0.0/16", Place.Reserved, "a link-local address"),
        Rule("172.16.0.0/12", Place.Private, "a private address"),
        Rule("192.0.0.0/24", Place.Reserved, "a reserved address"),
        Rule("192.0.2.0/24", Place.Reserved, "a reserved address"),
        Rule("192.88.99.0/24", Place.Reserved, "an address that stands for another"),
        Rule("192.168.0.0/16", Place.Private, "a private address"),
        Rule("198.18.0.0/15", Place.Private, "a private address"),
        Rule("198.51.100.0/24", Place.Reserved, "a reserved address"),
        Rule("203.0.113.0/24", Place.Reserved, "a reserved address"),
        Rule("224.0.0.0/4", Place.Reserved, "a multicast address"),
        Rule("240.0.0.0/4", Place.Reserved, "a reserved address"),
    ];

    /// <summary>What is in none of these and in <see cref="GlobalUnicast"/> is public.</summary>
    private static readonly (AddressRange Range, Place Place, string What)[] V6 =
    [
        Rule("::1/128", Place.Private, "a loopback address"),
        Rule("::/128", Place.Reserved, "an unspecified address"),
        // Some hosts connect to the IPv4 address in these, which the rules above never saw.
        Rule("::ffff:0:0/96", Place.Reserved, "an address that stands for another"),
        Rule("64:ff9b::/96", Place.Reserved, "an address that stands for another"),
        Rule("64:ff9b:1::/48", Place.Reserved, "an address that stands for another"),
        Rule("2002::/16", Place.Reserved, "an address that stands for another"),
        // Teredo, ORCHID, benchmarks: IETF protocol assignments.
        Rule("2001::/23", Place.Reserved, "an address that stands for another"),
        Rule("2001:db8::/32", Place.Reserved, "a reserved address"),
        Rule("3fff::/20", Place.Reserved, "a reserved address"),
        Rule("fd00:ec2::254/128", Place.Reserved, "a metadata address"),
        Rule("fd20:ce::254/128", Place.Reserved, "a metadata address"),
        Rule("fc00::/7", Place.Private, "a private address"),
        Rule("fec0::/10", Place.Private, "a private address"),
        Rule("fe80::/10", Place.Reserved, "a link-local address"),
        Rule("ff00::/8", Place.Reserved, "a multicast address"),
    ];

    private static readonly AddressRange GlobalUnicast = AddressRange.Read("2000::/3")!;

    /// <returns>The place, and what the address is called in messages.</returns>
    public static (Place Place, string What) Of(IPAddress address)
    {
        foreach (var (range, place, what) in address.AddressFamily == AddressFamily.InterNetwork ? V4 : V6)
        {
            if (range.Contains(address))
            {
                return (place, what);
            }
        }

        return address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address)
            ? (Place.Public, "a public address")
            : (Place.Reserved, "a reserved address");
    }

    private static (AddressRange, Place, string) Rule(string range, Place place, string what) => (AddressRange.Read(range)!, place, what);
}
