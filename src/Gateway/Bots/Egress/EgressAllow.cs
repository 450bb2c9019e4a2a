using System.Net;

namespace Gateway.Bots.Egress;

/// <summary>The private places that bots may reach: names, addresses and networks. Immutable.</summary>
internal sealed class EgressAllow
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<AddressRange> _ranges = [];

    /// <param name="entries">Those that <see cref="Mistake"/> finds wrong are left out: they allow nothing.</param>
    public EgressAllow(IEnumerable<string> entries)
    {
        foreach (var entry in entries)
        {
            if (AddressRange.Read(entry) is { } range)
            {
                _ranges.Add(range);
            }
            else if (IsName(entry))
            {
                _names.Add(entry.TrimEnd('.'));
            }
        }
    }

    public static EgressAllow None { get; } = new([]);

    /// <summary>What is wrong with an entry; null when it is a name, an address or a network.</summary>
    public static string? Mistake(string entry) =>
        AddressRange.Read(entry) is not null || IsName(entry)
            ? null
            : $"'{entry}' is no host name, address or network; expected such as searx.internal, 10.1.2.3 or 10.1.0.0/16.";

    /// <param name="host">As a URL has it: a name or an address.</param>
    public bool Allows(string host, IPAddress address) => AddressRules.Of(address).Place switch
    {
        Place.Public => true,
        Place.Private => _names.Contains(host.TrimEnd('.')) || Lists(address),
        _ => Lists(address),
    };

    private bool Lists(IPAddress address) => _ranges.Exists(range => range.Contains(address));

    private static bool IsName(string entry) =>
        entry.Length is > 0 and <= 253
        && entry.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_')
        && entry.TrimEnd('.').Split('.').All(label => label.Length is > 0 and <= 63)
        // Only digits and dots would be a mistyped address.
        && entry.Any(char.IsAsciiLetter);
}
