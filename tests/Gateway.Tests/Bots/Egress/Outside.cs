using System.Net;
using System.Net.Sockets;
using Gateway.Bots.Egress;
using Gateway.Bots.Web;
using Gateway.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Bots.Egress;

/// <summary>A guard with a list, and a name service of the test's.</summary>
internal sealed class Outside : IDisposable
{
    private readonly SecretBox _box = new(new byte[SecretBox.KeyBytes]);
    private readonly Dictionary<string, Queue<IPAddress[]>> _names = new(StringComparer.OrdinalIgnoreCase);

    public Outside(params string[] allow)
    {
        Settings = new OutsideSettings(_box, NullLogger<OutsideSettings>.Instance);
        Allow(allow);
        Guard = new EgressGuard(Settings, ResolveAsync, NullLogger<EgressGuard>.Instance);
    }

    public OutsideSettings Settings { get; }

    public EgressGuard Guard { get; }

    /// <summary>The names that were looked up, in order.</summary>
    public List<string> LookUps { get; } = [];

    public void Allow(params string[] allow) =>
        Settings.Current = Settings.Current with { Allow = new EgressAllow(allow), Version = Settings.Current.Version + 1 };

    public void Use(SearchEngine? search, bool canFetch) => Settings.Current = Settings.Current with { Search = search, CanFetch = canFetch };

    /// <summary>What a name resolves to, now, then and later; the last stays.</summary>
    public Outside Name(string name, params string[] lookUps)
    {
        _names[name] = new(lookUps.Select(l => l.Split(' ').Select(IPAddress.Parse).ToArray()));
        return this;
    }

    public static EgressRequest Get(string url, TimeSpan? timeout = null, int maxBytes = 64 * 1024) =>
        new(HttpMethod.Get, EgressUrl.Read(url), [], null, timeout ?? TimeSpan.FromSeconds(30), maxBytes);

    public void Dispose()
    {
        Guard.Dispose();
        _box.Dispose();
    }

    private Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancel)
    {
        lock (LookUps)
        {
            LookUps.Add(host);
            if (!_names.TryGetValue(host.TrimEnd('.'), out var answers))
            {
                throw new SocketException((int)SocketError.HostNotFound);
            }

            return Task.FromResult(answers.Count > 1 ? answers.Dequeue() : answers.Peek());
        }
    }
}
