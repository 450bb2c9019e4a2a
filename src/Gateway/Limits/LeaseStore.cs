using System.Data;
using Gateway.Data;
using Gateway.Observability;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Limits;

/// <summary>What the database gave for one <see cref="LeaseAsk"/>.</summary>
internal readonly record struct LeaseGrant(long Extra, long Others);

/// <param name="Grants">In the order of the asks.</param>
/// <param name="Gateways">How many are alive and share the limits, this one included.</param>
/// <param name="Version">See <see cref="DatabaseNews"/>, as the next.</param>
internal readonly record struct LeaseAnswer(LeaseGrant[] Grants, int Gateways, long Version, DateTime? JobDue);

/// <summary>
/// The leases in Postgres. One round trip takes any number of asks. For one thread, which waits; over a connection of its own,
/// which is never waited for in a pool.
/// </summary>
internal sealed class LeaseStore(string connectionString) : IDisposable
{
    /// <summary>A gateway that has not been seen for so long is dead: what it held and had not spent is free.</summary>
    public static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(45);

    private const int LimitSeconds = 1;

    private const string SeenSql =
        $"""
        INSERT INTO instances (id, seen_at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
        RETURNING 0::bigint, 0::bigint, 1 + (SELECT count(*) FROM instances WHERE seen_at > now() - $2 AND id <> $1), {DatabaseNews.Columns}
        """;

    // See the migration LeaseFunction. What is told along is of the moment before.
    private const string LeaseSql =
        $"""
        SELECT extra, others, gateways, {DatabaseNews.Columns}
        FROM lease_limits($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        """;

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        Timeout = LimitSeconds,
        // A query that takes too long is not cancelled, which may take as long again: its connection is given up.
        CancellationTimeout = -1,
    }.ConnectionString;

    private NpgsqlConnection? _connection;
    private long _trips;

    /// <summary>Random, for each process: nobody else writes this one's leases.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <summary>So far, each of one statement.</summary>
    public long Trips => Interlocked.Read(ref _trips);

    /// <summary>Connects, if that is not done: the first exchange then needs no more time than the others.</summary>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    public void Open()
    {
        if (!IsOpen)
        {
            Connect();
        }
    }

    /// <summary>Whether the last exchange failed over a connection from before, and not for the time that it took.</summary>
    public bool HasLostConnection { get; private set; }

    /// <summary>Tells, asks and takes, all or nothing, in one round trip.</summary>
    /// <param name="report">Greater than in every call before.</param>
    /// <param name="isSeen">Whether to show the others that this gateway is alive; always, where nothing is asked.</param>
    public LeaseAnswer Exchange(IReadOnlyList<LeaseAsk> asks, long report, bool isSeen)
    {
        var isReused = IsOpen;
        HasLostConnection = false;
        Interlocked.Increment(ref _trips);
        try
        {
            // One command: of several at once the driver would leave all but the first to the thread pool.
            using var command = asks.Count > 0 ? Lease(asks, report, isSeen) : Seen();
            command.Connection = isReused ? _connection : Connect();
            command.CommandTimeout = LimitSeconds;
            var answer = Read(command, asks.Count);
            GatewayMetrics.LeaseRequested("answered", 1);
            return answer;
        }
        catch (Exception broken)
        {
            HasLostConnection = isReused && broken.InnerException is not TimeoutException;
            Dispose();
            GatewayMetrics.LeaseRequested("failed", 1);
            throw;
        }
    }

    /// <summary>Closes the connection. The next exchange makes another.</summary>
    public void Dispose()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private bool IsOpen => _connection is { FullState: ConnectionState.Open };

    private NpgsqlConnection Connect()
    {
        Dispose();
        _connection = new NpgsqlConnection(_connectionString);
        _connection.Open();
        return _connection;
    }

    private static LeaseAnswer Read(NpgsqlCommand command, int count)
    {
        var answer = new LeaseAnswer(new LeaseGrant[count], 1, 0, null);
        using var reader = command.ExecuteReader();
        for (var n = 0; reader.Read(); n++)
        {
            if (n < count)
            {
                answer.Grants[n] = new LeaseGrant(reader.GetInt64(0), reader.GetInt64(1));
            }

            if (n == 0)
            {
                // The same in every row.
                answer = answer with
                {
                    Gateways = (int)reader.GetInt64(2),
                    Version = reader.GetInt64(3),
                    JobDue = reader.IsDBNull(4) ? null : reader.GetDateTime(4),
                };
            }
        }

        return answer;
    }

    private NpgsqlCommand Seen() => new(SeenSql)
    {
        Parameters = { Parameter(Instance, NpgsqlDbType.Uuid), Parameter(DeadAfter, NpgsqlDbType.Interval) },
    };

    private NpgsqlCommand Lease(IReadOnlyList<LeaseAsk> asks, long report, bool isSeen)
    {
        var lease = new NpgsqlCommand(LeaseSql);
        Add(lease, asks, NpgsqlDbType.Uuid, static a => a.Window.Id.Owner.Workspace);
        Add(lease, asks, NpgsqlDbType.Integer, static a => (int)a.Window.Id.Owner.Scope);
        Add(lease, asks, NpgsqlDbType.Text, static a => a.Window.Id.Owner.Id);
        Add(lease, asks, NpgsqlDbType.Integer, static a => (int)a.Window.Id.Meter);
        Add(lease, asks, NpgsqlDbType.TimestampTz, static a => a.Window.Id.StartsAt);
        Add(lease, asks, NpgsqlDbType.TimestampTz, static a => a.Window.Id.EndsAt);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Most);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Spent);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Keep);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Smallest);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Wanted);
        Add(lease, asks, NpgsqlDbType.Bigint, static a => a.Slice);
        lease.Parameters.Add(Parameter(Instance, NpgsqlDbType.Uuid));
        lease.Parameters.Add(Parameter(report, NpgsqlDbType.Bigint));
        lease.Parameters.Add(Parameter(DeadAfter, NpgsqlDbType.Interval));
        lease.Parameters.Add(Parameter(isSeen, NpgsqlDbType.Boolean));
        return lease;
    }

    private static void Add<T>(NpgsqlCommand command, IReadOnlyList<LeaseAsk> asks, NpgsqlDbType type, Func<LeaseAsk, T> value)
    {
        var column = new T[asks.Count];
        for (var n = 0; n < column.Length; n++)
        {
            column[n] = value(asks[n]);
        }

        command.Parameters.Add(Parameter(column, NpgsqlDbType.Array | type));
    }

    private static NpgsqlParameter Parameter(object value, NpgsqlDbType type) => new() { Value = value, NpgsqlDbType = type };
}
