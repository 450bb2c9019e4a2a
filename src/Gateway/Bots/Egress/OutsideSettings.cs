using System.Security.Cryptography;
using Gateway.Bots.Web;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Bots.Egress;

/// <summary>What the operator says of the world outside. Immutable.</summary>
/// <param name="Search">Null: there is no search.</param>
/// <param name="CanFetch">Whether bots with web search may read pages.</param>
internal sealed record OutsideSnapshot(long Version, EgressAllow Allow, SearchEngine? Search, bool CanFetch)
{
    public static OutsideSnapshot Empty { get; } = new(0, EgressAllow.None, null, false);
}

/// <summary>Keeps <see cref="OutsideRow"/> in memory, as a snapshot that is replaced whole.</summary>
internal sealed class OutsideSettings(SecretBox box, ILogger<OutsideSettings> log) : IConfigReader
{
    private OutsideSnapshot _current = OutsideSnapshot.Empty;

    public OutsideSnapshot Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }

    public async Task ReadAsync(GatewayDb db, long since, CancellationToken cancel)
    {
        var row = await db.Outside.AsNoTracking().SingleOrDefaultAsync(cancel);
        if ((row?.Version ?? 0) != Current.Version)
        {
            Current = row is null
                ? OutsideSnapshot.Empty
                : new OutsideSnapshot(row.Version, new EgressAllow(row.EgressAllow), EngineOf(row), row.CanFetch);
        }
    }

    private SearchEngine? EngineOf(OutsideRow row)
    {
        try
        {
            var apiKey = row.SearchApiKey is null ? null : box.Open(row.SearchApiKey, SecretOwners.OutsideSearch);
            return row.SearchKind is null ? null : SearchEngine.Of(row.SearchKind, row.SearchUrl, apiKey);
        }
        catch (CryptographicException)
        {
            log.SearchKeyUnreadable();
            return null;
        }
    }
}
