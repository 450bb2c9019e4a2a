using System.Globalization;

namespace Gateway.Benchmarks.Systems;

/// <summary>Fills a gateway's database with keys and bots like one that is there, as many installations have them.</summary>
internal static class ManyRows
{
    /// <summary>Copies the key <c>bench</c> and the bot <c>support</c>, and tells the gateways of it.</summary>
    /// <param name="number">How many copies of each.</param>
    public static Task AddAsync(PostgresServer postgres, string database, int number, CancellationToken cancel) =>
        postgres.ExecuteAsync(database, string.Create(CultureInfo.InvariantCulture,
            $"""
            BEGIN;
            UPDATE config_version SET version = version + 1 WHERE id = 1;
            INSERT INTO keys SELECT copy.* FROM config_version v, generate_series(1, {number}) n, keys original
              CROSS JOIN LATERAL jsonb_populate_record(original, jsonb_build_object('id', gen_random_uuid(), 'name', 'other-' || n,
                'hash', '\x' || encode(sha256(convert_to('{KeyOf("' || n || '")}', 'UTF8')), 'hex'), 'version', v.version)) copy
              WHERE original.name = 'bench';
            INSERT INTO bots SELECT copy.* FROM config_version v, generate_series(1, {number}) n, bots original
              CROSS JOIN LATERAL jsonb_populate_record(original, jsonb_build_object('id', 'other-' || n, 'version', v.version)) copy
              WHERE original.id = 'support';
            SELECT pg_notify('gateway_config', version::text) FROM config_version;
            COMMIT;
            """), cancel);

    /// <summary>The text of the copy with a number.</summary>
    public static string KeyOf(string number) => $"sk-gw-other-{number}-of-the-benchmark";
}
