namespace Gateway.Tests.Bots.Egress;

/// <summary>
/// Ways to lead a bot into the network that the gateway runs in, collected from what guards of other products were broken with.
/// <c>PORT</c> is that of a server on loopback that must never be reached.
/// </summary>
internal static class HostileTargets
{
    /// <summary>What the test's name service says of names in the targets.</summary>
    public static readonly (string Name, string Addresses)[] Names =
    [
        ("localhost", "127.0.0.1"), ("loopback.test", "127.0.0.1"), ("private.test", "10.1.2.3"), ("metadata.google.internal", "169.254.169.254"),
        ("ten.test", "10.0.0.1"), ("rfc1918.test", "192.168.1.1"), ("mapped.test", "::ffff:127.0.0.1"), ("six.test", "::1"),
        ("ula.test", "fd12:3456::1"), ("linklocal.test", "fe80::1"), ("nat64.test", "64:ff9b::7f00:1"), ("sixtofour.test", "2002:7f00:1::"),
        ("teredo.test", "2001:0:7f00:1::1"), ("zero.test", "0.0.0.0"), ("multicast.test", "224.0.0.1"), ("broadcast.test", "255.255.255.255"),
        ("cgnat.test", "100.64.0.1"), ("both.test", "10.0.0.1 192.168.0.1"), ("127.0.0.1.nip.test", "127.0.0.1"),
        ("xn--lcalhost-n4a.test", "127.0.0.1"), ("169.254.169.254.", "169.254.169.254"), ("127.0.0.1.", "127.0.0.1"), ("azure.test", "168.63.129.16"),
    ];

    public static readonly string[] All =
    [
        // Loopback and private addresses as everybody writes them.
        "http://127.0.0.1:PORT/", "http://127.0.0.1/", "http://127.1.2.3/", "http://10.0.0.1/", "http://10.255.255.255:8080/", "http://172.16.0.1/",
        "http://172.31.255.254/", "http://192.168.0.1/", "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials",
        "http://100.100.100.200/latest/meta-data/", "http://168.63.129.16/metadata", "http://100.64.0.1/", "http://198.18.0.1/", "http://192.0.0.1/",
        "http://0.0.0.0:PORT/", "http://0.1.2.3/", "http://255.255.255.255/", "http://224.0.0.251/", "http://240.0.0.1/", "http://192.0.2.1/",
        "http://198.51.100.7/", "http://203.0.113.7/", "http://192.88.99.1/",
        // The same in numbers that few people know to be addresses.
        "http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://017700000001:PORT/", "http://0177.0.0.1:PORT/", "http://0x7f.0.0.1:PORT/",
        "http://0x7f.1:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/", "http://0:PORT/", "http://2852039166/latest/meta-data/",
        "http://0xA9FEA9FE/latest/meta-data/", "http://0251.0376.0251.0376/", "http://0xa9.0xfe.0xa9.0xfe/", "http://00000177.0.0.1:PORT/",
        // IPv6, and IPv4 within it.
        "http://[::1]:PORT/", "http://[0:0:0:0:0:0:0:1]:PORT/", "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/",
        "http://[::ffff:169.254.169.254]/", "http://[::127.0.0.1]:PORT/", "http://[64:ff9b::127.0.0.1]:PORT/", "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::]/", "http://[2001:0:7f00:1::1]/", "http://[fd00:ec2::254]/",
        "http://[fd00::1]/", "http://[fe80::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[::ffff:0:127.0.0.1]/",
        "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
        // Names that lead there.
        "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://localhost.:PORT/", "http://loopback.test:PORT/", "http://private.test/",
        "http://metadata.google.internal/computeMetadata/v1/", "http://ten.test/", "http://rfc1918.test/", "http://mapped.test:PORT/", "http://six.test:PORT/",
        "http://ula.test/", "http://linklocal.test/", "http://nat64.test:PORT/", "http://sixtofour.test/", "http://teredo.test/", "http://zero.test:PORT/",
        "http://multicast.test/", "http://broadcast.test/", "http://cgnat.test/", "http://both.test/", "http://127.0.0.1.nip.test:PORT/",
        "http://xn--lcalhost-n4a.test:PORT/", "http://azure.test/", "http://127.0.0.1.:PORT/", "http://169.254.169.254./latest/",
        // User names, backslashes, and what readers of URLs disagree on.
        "http://public.test@127.0.0.1:PORT/", "http://user:password@public.test/", "http://@127.0.0.1:PORT/", "http://public.test\\@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT\\@public.test/", "http:\\\\127.0.0.1:PORT\\", "http://public.test%40127.0.0.1:PORT/",
        "http://127.0.0.1:PORT#@public.test/", "http://127.0.0.1%00.public.test:PORT/", "http://public.test:80@127.0.0.1:PORT/", "http://127.0.0.1 .public.test/",
        "http://127.0.0.1\t.public.test/", "http://127.0.0.1\r\nHost: x/", "http://[::1].public.test/", "http://\u200b127.0.0.1:PORT/", "http://127.0.0.1\u00ad:PORT/",
        // Digits, dots and letters of other scripts, which some turn into these.
        "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11:PORT/", "http://127\u30020\u30020\u30021:PORT/", "http://\u2460\u2461\u2466.0.0.1:PORT/", "http://127\uff0e0\uff0e0\uff0e1:PORT/",
        "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:PORT/",
        // Schemes and ports of others.
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "jar:http://127.0.0.1!/",
        "data:text/html,hi", "javascript:alert(1)", "unix:///var/run/docker.sock", "ws://127.0.0.1:PORT/", "//127.0.0.1:PORT/", "/etc/passwd", "127.0.0.1:PORT",
        "http:127.0.0.1:PORT", "http:///127.0.0.1:PORT/", "http://", "", " ", "view-source:http://127.0.0.1:PORT/",
        "http://public.test:22/", "http://public.test:25/", "http://public.test:6379/", "http://public.test:5432/", "http://public.test:0/", "http://public.test:99999/",
    ];

    /// <summary>Where a page that may be read sends its readers.</summary>
    public static readonly string[] Redirects =
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.2:PORT/", "http://localhost:PORT/", "http://2130706434:PORT/", "http://[::1]:PORT/", "//169.254.169.254/",
        "http://metadata.google.internal/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "http://user:pw@127.0.0.1:PORT/", "http://10.0.0.1/",
        "http:\\\\127.0.0.1:PORT\\", "/\\127.0.0.1:PORT/", "http://[::ffff:169.254.169.254]/", "http://start.test:6379/", "javascript:alert(1)",
    ];
}
