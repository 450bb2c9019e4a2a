using Gateway.Observability;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Limits;

/// <summary>What the database gave for one <see cref="LeaseAsk"/>.</summary>
internal readonly record struct LeaseGrant(long Extra, long Others);

/// <summary>The leases in Postgres. One round trip takes any number of asks.</summary>
internal sealed class LeaseStore(NpgsqlDataSource database)
{
    /// <summary>A gateway that has not been seen for so long is dead: what it held and had not spent is free.</summary>
    public static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(45);

    private const int LimitSeconds = 1;

    private const string SeenSql =
        "INSERT INTO instances (id, seen_at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";

    // In one order for all gateways, or two of them could wait for each other.
    private const string LockSql =
        """
        INSERT INTO limit_windows (workspace_id, scope, subject, meter, starts_at, ends_at, trips)
        SELECT workspace_id, scope, subject, meter, starts_at, ends_at, 1
        FROM unnest($1, $2, $3, $4, $5, $6) AS a (workspace_id, scope, subject, meter, starts_at, ends_at)
        ORDER BY workspace_id, scope, subject, meter, starts_at
        ON CONFLICT (workspace_id, scope, subject, meter, starts_at) DO UPDATE SET trips = limit_windows.trips + 1
        """;

    // A statement of its own, so that it sees what those committed for whom the lock was waited.
    private const string LeaseSql =
        """
        WITH asked AS (
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) WITH ORDINALITY
                AS a (workspace_id, scope, subject, meter, starts_at, ends_at, most, spent, keep, smallest, wanted, slice, n)),
        alive AS (SELECT id FROM instances WHERE seen_at > now() - $15),
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
                ELSE least(room, greatest(wanted, least(slice, room / greatest(1, 2 * (SELECT count(*) FROM alive))))) END AS extra
            FROM room),
        written AS (
            INSERT INTO limit_leases (workspace_id, scope, subject, meter, starts_at, instance, ends_at, report, spent, held)
            SELECT workspace_id, scope, subject, meter, starts_at, $13, ends_at, $14, spent, keep + extra FROM given
            ON CONFLICT (workspace_id, scope, subject, meter, starts_at, instance) DO UPDATE
                SET report = excluded.report, spent = excluded.spent, held = excluded.held
                WHERE limit_leases.report < excluded.report)
        SELECT extra, others FROM given ORDER BY n
        """;

    private long _statements;
    private long _trips;

    /// <summary>Random, for each process: nobody else writes this one's leases.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <summary>Sent so far.</summary>
    public long Statements => Interlocked.Read(ref _statements);

    public long Trips => Interlocked.Read(ref _trips);

    /// <summary>Tells, asks and takes, all or nothing, in one round trip.</summary>
    /// <param name="report">Greater than in every call before.</param>
    /// <param name="isSeen">Whether to show the others that this gateway is alive.</param>
    /// <returns>In the order of the asks.</returns>
    public async Task<LeaseGrant[]> ExchangeAsync(
        IReadOnlyList<LeaseAsk> asks, long report, bool isSeen, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(LimitSeconds));
        await using var connection = await database.OpenConnectionAsync(limit.Token);
        // Without a transaction of its own a batch is one, and travels at once.
        await using var batch = new NpgsqlBatch(connection) { Timeout = LimitSeconds };
        if (isSeen)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SeenSql) { Parameters = { Parameter(Instance, NpgsqlDbType.Uuid) } });
        }

        if (asks.Count > 0)
        {
            var owners = Owners(asks);
            var locks = new NpgsqlBatchCommand(LockSql);
            Add(locks, owners);
            batch.BatchCommands.Add(locks);
            batch.BatchCommands.Add(Lease(asks, owners, report));
        }

        Interlocked.Increment(ref _trips);
        Interlocked.Add(ref _statements, batch.BatchCommands.Count);
        try
        {
            var grants = await ReadAsync(batch, asks.Count, limit.Token);
            GatewayMetrics.LeaseRequested("answered", batch.BatchCommands.Count);
            return grants;
        }
        catch
        {
            GatewayMetrics.LeaseRequested("failed", batch.BatchCommands.Count);
            throw;
        }
    }

    private static async Task<LeaseGrant[]> ReadAsync(NpgsqlBatch batch, int count, CancellationToken cancel)
    {
        var grants = new LeaseGrant[count];
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        for (var n = 0; await reader.ReadAsync(cancel); n++)
        {
            grants[n] = new LeaseGrant(reader.GetInt64(0), reader.GetInt64(1));
        }

        return grants;
    }

    private NpgsqlBatchCommand Lease(IReadOnlyList<LeaseAsk> asks, object[] owners, long report)
    {
        var lease = new NpgsqlBatchCommand(LeaseSql);
        Add(lease, owners);
        AddNumbers(lease, asks, static a => a.Most);
        AddNumbers(lease, asks, static a => a.Spent);
        AddNumbers(lease, asks, static a => a.Keep);
        AddNumbers(lease, asks, static a => a.Smallest);
        AddNumbers(lease, asks, static a => a.Wanted);
        AddNumbers(lease, asks, static a => a.Slice);
        lease.Parameters.Add(Parameter(Instance, NpgsqlDbType.Uuid));
        lease.Parameters.Add(Parameter(report, NpgsqlDbType.Bigint));
        lease.Parameters.Add(Parameter(DeadAfter, NpgsqlDbType.Interval));
        return lease;
    }

    private static object[] Owners(IReadOnlyList<LeaseAsk> asks) =>
    [
        Column(asks, static a => a.Window.Id.Owner.Workspace),
        Column(asks, static a => (int)a.Window.Id.Owner.Scope),
        Column(asks, static a => a.Window.Id.Owner.Id),
        Column(asks, static a => (int)a.Window.Id.Meter),
        Column(asks, static a => a.Window.Id.StartsAt),
        Column(asks, static a => a.Window.Id.EndsAt),
    ];

    private static void Add(NpgsqlBatchCommand command, object[] owners)
    {
        ReadOnlySpan<NpgsqlDbType> types =
        [
            NpgsqlDbType.Uuid, NpgsqlDbType.Integer, NpgsqlDbType.Text, NpgsqlDbType.Integer, NpgsqlDbType.TimestampTz,
            NpgsqlDbType.TimestampTz,
        ];
        for (var n = 0; n < owners.Length; n++)
        {
            command.Parameters.Add(Parameter(owners[n], NpgsqlDbType.Array | types[n]));
        }
    }

    private static void AddNumbers(NpgsqlBatchCommand command, IReadOnlyList<LeaseAsk> asks, Func<LeaseAsk, long> number) =>
        command.Parameters.Add(Parameter(Column(asks, number), NpgsqlDbType.Array | NpgsqlDbType.Bigint));

    private static T[] Column<T>(IReadOnlyList<LeaseAsk> asks, Func<LeaseAsk, T> value)
    {
        var column = new T[asks.Count];
        for (var n = 0; n < column.Length; n++)
        {
            column[n] = value(asks[n]);
        }

        return column;
    }

    private static NpgsqlParameter Parameter(object value, NpgsqlDbType type) => new() { Value = value, NpgsqlDbType = type };
}
