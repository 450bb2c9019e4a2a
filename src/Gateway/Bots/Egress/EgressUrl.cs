using System.Globalization;

namespace Gateway.Bots.Egress;

/// <summary>
/// Which URLs bots may ask for, as far as that can be told without a look-up: what two readers could read differently is
/// refused. Pure.
/// </summary>
internal static class EgressUrl
{
    private const int LongestUrl = 8_192;

    /// <summary>
    /// Ports of other protocols, whose servers may take a request for commands: those that browsers refuse (Fetch standard,
    /// "bad port"), and of usual databases.
    /// </summary>
    private static readonly HashSet<int> RefusedPorts =
    [
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111,
        113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548,
        554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
        5432, 5900, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211, 27017,
    ];

    /// <param name="from">What a relative reference is relative to; null: it must be absolute.</param>
    /// <exception cref="EgressException">It is no URL that a bot may ask for; says why.</exception>
    public static Uri Read(string text, Uri? from = null)
    {
        text = text.Trim();
        if (text.Length is 0 or > LongestUrl)
        {
            throw Refused("the URL is empty or longer than 8192 characters");
        }

        if (text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '\\' || char.GetUnicodeCategory(c) == UnicodeCategory.Format))
        {
            throw Refused("the URL has a backslash, a space or an invisible character in it");
        }

        if (AuthorityOf(text).Contains('@', StringComparison.Ordinal))
        {
            throw Refused("the URL has a user name in it");
        }

        if (!(from is null ? Uri.TryCreate(text, UriKind.Absolute, out var url) : Uri.TryCreate(from, text, out url)))
        {
            throw Refused("it is not a whole URL, such as https://example.com/page");
        }

        Check(url);
        return url;
    }

    /// <exception cref="EgressException">Bots may not ask for it; says why.</exception>
    public static void Check(Uri url)
    {
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw Refused("only http and https URLs can be asked for");
        }

        if (url.UserInfo.Length > 0)
        {
            throw Refused("the URL has a user name in it");
        }

        if (!IsHost(url))
        {
            throw Refused("the URL's host is not a name or an address");
        }

        if (RefusedPorts.Contains(url.Port))
        {
            throw Refused($"port {url.Port.ToString(CultureInfo.InvariantCulture)} is not one of web servers");
        }
    }

    /// <summary>Whether both are the same place for credentials: the origin, or the same host's https in place of its http.</summary>
    public static bool IsSamePlace(Uri a, Uri b) =>
        string.Equals(a.IdnHost, b.IdnHost, StringComparison.OrdinalIgnoreCase)
        && ((a.Scheme == b.Scheme && a.Port == b.Port) || (a is { Scheme: "http", Port: 80 } && b is { Scheme: "https", Port: 443 }));

    private static bool IsHost(Uri url) => url.HostNameType switch
    {
        // A zone would choose one of the machine's own networks.
        UriHostNameType.IPv6 => !url.DnsSafeHost.Contains('%', StringComparison.Ordinal),
        UriHostNameType.IPv4 => true,
        UriHostNameType.Dns => url.IdnHost.Length <= 254 && url.IdnHost.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_'),
        _ => false,
    };

    /// <summary>What stands between <c>//</c> and the path, as typed; empty where there is none.</summary>
    private static string AuthorityOf(string text)
    {
        var start = text.IndexOf("//", StringComparison.Ordinal);
        if (start < 0 || text.AsSpan(0, start).ContainsAny('/', '?', '#'))
        {
            return "";
        }

        var rest = text[(start + 2)..];
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        return end < 0 ? rest : rest[..end];
    }

    private static EgressException Refused(string why) => new(EgressProblem.Refused, $"This request is not allowed: {why}.");
}
