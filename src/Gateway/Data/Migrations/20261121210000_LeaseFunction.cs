using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Gateway.Data.Migrations;

/// <summary>
/// A round trip for leases as a function: one statement of a gateway, which its driver sends and reads without the thread pool.
/// Written by hand; no table changes. What changes it later is a function of another name, since gateways of both versions run
/// side by side for a while.
/// </summary>
[DbContext(typeof(GatewayDb))]
[Migration("20261121210000_LeaseFunction")]
public sealed class LeaseFunction : Migration
{
    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        CREATE FUNCTION lease_limits(
            workspaces uuid[], scopes integer[], subjects text[], meters integer[], starts timestamptz[], ends timestamptz[],
            mosts bigint[], spents bigint[], keeps bigint[], smallests bigint[], wants bigint[], slices bigint[],
            gateway uuid, gateway_report bigint, dead_after interval, is_seen boolean)
        RETURNS TABLE (extra bigint, others bigint, gateways bigint) LANGUAGE plpgsql VOLATILE AS $function$
        #variable_conflict use_column
        BEGIN
            -- In one order for all gateways, or two of them could wait for each other.
            INSERT INTO limit_windows (workspace_id, scope, subject, meter, starts_at, ends_at, trips)
            SELECT workspace_id, scope, subject, meter, starts_at, ends_at, 1
            FROM unnest($1, $2, $3, $4, $5, $6) AS a (workspace_id, scope, subject, meter, starts_at, ends_at)
            ORDER BY workspace_id, scope, subject, meter, starts_at
            ON CONFLICT (workspace_id, scope, subject, meter, starts_at) DO UPDATE SET trips = limit_windows.trips + 1;

            -- A statement of its own, so that it sees what those committed for whom the lock was waited.
            RETURN QUERY
            WITH asked AS (
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) WITH ORDINALITY
                    AS a (workspace_id, scope, subject, meter, starts_at, ends_at, most, spent, keep, smallest, wanted, slice, n)),
            seen AS (
                INSERT INTO instances (id, seen_at) SELECT $13, now() WHERE $16
                ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at),
            alive AS (SELECT id FROM instances WHERE seen_at > now() - $15 AND id <> $13),
            elsewhere AS (
                SELECT a.n, sum(l.spent + CASE WHEN l.instance IN (SELECT id FROM alive) THEN l.held ELSE 0 END)::bigint AS used
                FROM asked a JOIN limit_leases l ON l.workspace_id = a.workspace_id AND l.scope = a.scope AND l.subject = a.subject
                    AND l.meter = a.meter AND l.starts_at = a.starts_at AND l.instance <> $13
                GROUP BY a.n),
            room AS (
                SELECT a.*, coalesce(e.used, 0) AS others, greatest(0, a.most - coalesce(e.used, 0) - a.spent - a.keep) AS room
                FROM asked a LEFT JOIN elsewhere e ON e.n = a.n),
            given AS (
                SELECT *, CASE WHEN room < smallest THEN 0
                    ELSE least(room, greatest(wanted, least(slice, room / (2 * (1 + (SELECT count(*) FROM alive)))))) END AS extra
                FROM room),
            written AS (
                INSERT INTO limit_leases (workspace_id, scope, subject, meter, starts_at, instance, ends_at, report, spent, held)
                SELECT workspace_id, scope, subject, meter, starts_at, $13, ends_at, $14, spent, keep + extra FROM given
                ON CONFLICT (workspace_id, scope, subject, meter, starts_at, instance) DO UPDATE
                    SET report = excluded.report, spent = excluded.spent, held = excluded.held
                    WHERE limit_leases.report < excluded.report)
            SELECT extra, others, 1 + (SELECT count(*) FROM alive) FROM given ORDER BY n;
        END
        $function$
        """);

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP FUNCTION lease_limits");
}
