using System.Security.Cryptography;
using System.Text;
using Gateway.Bots.Datasets.Parsing;

namespace Gateway.Bots.Datasets;

/// <summary>A record of a file as the database holds it.</summary>
/// <param name="Hash">See <see cref="RecordMatch.Hash"/>.</param>
internal sealed record KnownRecord(Guid Id, int Position, byte[] Hash);

/// <summary>
/// Which records of a file that is read again are the ones of before, so that their chunks stay: those that say the same,
/// wherever they stand now; the rest in their order, as texts that were edited. Pure.
/// </summary>
internal static class RecordMatch
{
    /// <param name="known">By position.</param>
    /// <returns>An id for each parsed record, and the records that are gone.</returns>
    public static (Guid[] Ids, List<Guid> Gone) Match(IReadOnlyList<KnownRecord> known, IReadOnlyList<ParsedRecord> parsed, TimeProvider clock)
    {
        var same = known.GroupBy(k => Convert.ToHexString(k.Hash)).ToDictionary(g => g.Key, g => new Queue<KnownRecord>(g), StringComparer.Ordinal);
        var ids = new Guid[parsed.Count];
        var taken = new HashSet<Guid>();
        for (var i = 0; i < parsed.Count; i++)
        {
            if (same.TryGetValue(Convert.ToHexString(Hash(parsed[i].Text, parsed[i].Source, parsed[i].Url)), out var found) && found.TryDequeue(out var match))
            {
                ids[i] = match.Id;
                taken.Add(match.Id);
            }
        }

        var edited = new Queue<Guid>(known.Where(k => !taken.Contains(k.Id)).Select(k => k.Id));
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] == Guid.Empty)
            {
                ids[i] = edited.TryDequeue(out var id) ? id : Guid.CreateVersion7(clock.GetUtcNow());
            }
        }

        return (ids, [.. edited]);
    }

    /// <summary>The same as <see cref="HashSql"/> makes of a row.</summary>
    public static byte[] Hash(string text, string source, string? url) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{text}\u001F{source}\u001F{url}"));

    public const string HashSql = "sha256(convert_to(text || chr(31) || source || chr(31) || coalesce(url, ''), 'UTF8'))";
}
