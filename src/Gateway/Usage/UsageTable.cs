using System.Buffers;
using Gateway.Data;
using Gateway.Observability;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Usage;

/// <summary>The table <c>usage</c>, as the journal writes to it.</summary>
internal sealed class UsageTable(NpgsqlDataSource source, ILogger<UsageTable> log)
{
    /// <summary>A slow database is waited for; a silent one is asked again.</summary>
    private const int CommandSeconds = 60;

    private static readonly Column[] Columns =
    [
        new("workspace_id", NpgsqlDbType.Uuid, rows => rows.Select(r => r.WorkspaceId).ToArray()),
        new("id", NpgsqlDbType.Uuid, rows => rows.Select(r => r.Id).ToArray()),
        new("at", NpgsqlDbType.TimestampTz, rows => rows.Select(r => r.At).ToArray()),
        new("key_id", NpgsqlDbType.Uuid, rows => rows.Select(r => r.KeyId).ToArray()),
        new("request_id", NpgsqlDbType.Text, rows => rows.Select(r => r.RequestId).ToArray()),
        new("route", NpgsqlDbType.Text, rows => rows.Select(r => r.Route).ToArray()),
        new("selector", NpgsqlDbType.Text, rows => rows.Select(r => r.Selector).ToArray()),
        new("bot", NpgsqlDbType.Text, rows => rows.Select(r => r.Bot).ToArray()),
        new("model", NpgsqlDbType.Text, rows => rows.Select(r => r.Model).ToArray()),
        new("deployment", NpgsqlDbType.Text, rows => rows.Select(r => r.Deployment).ToArray()),
        new("status", NpgsqlDbType.Integer, rows => rows.Select(r => r.Status).ToArray()),
        new("end_reason", NpgsqlDbType.Text, rows => rows.Select(r => r.EndReason).ToArray()),
        new("is_stream", NpgsqlDbType.Boolean, rows => rows.Select(r => r.IsStream).ToArray()),
        new("is_estimated", NpgsqlDbType.Boolean, rows => rows.Select(r => r.IsEstimated).ToArray()),
        new("input_tokens", NpgsqlDbType.Bigint, rows => rows.Select(r => r.InputTokens).ToArray()),
        new("cached_input_tokens", NpgsqlDbType.Bigint, rows => rows.Select(r => r.CachedInputTokens).ToArray()),
        new("output_tokens", NpgsqlDbType.Bigint, rows => rows.Select(r => r.OutputTokens).ToArray()),
        new("reasoning_tokens", NpgsqlDbType.Bigint, rows => rows.Select(r => r.ReasoningTokens).ToArray()),
        new("usd", NpgsqlDbType.Numeric, rows => rows.Select(r => r.Usd).ToArray()),
        new("first_content_ms", NpgsqlDbType.Double, rows => rows.Select(r => r.FirstContentMs).ToArray()),
        new("duration_ms", NpgsqlDbType.Double, rows => rows.Select(r => r.DurationMs).ToArray()),
        new("steps", NpgsqlDbType.Integer, rows => rows.Select(r => r.Steps).ToArray()),
        new("attempts", NpgsqlDbType.Jsonb, rows => rows.Select(r => r.Attempts).ToArray()),
        new("step_list", NpgsqlDbType.Jsonb, rows => rows.Select(r => r.StepList).ToArray()),
    ];

    // One statement for any number of rows, so that the database plans it once and needs no table of its own.
    private static readonly string Insert =
        $"INSERT INTO usage ({string.Join(", ", Columns.Select(c => c.Name))}) "
        + $"SELECT * FROM unnest({string.Join(", ", Columns.Select((_, i) => $"${i + 1}"))}) "
        + "ON CONFLICT (workspace_id, id) DO NOTHING";

    private const string Copy = $"COPY usage ({UsageCopy.Columns}) FROM STDIN (FORMAT BINARY)";

    /// <summary>Of the one shipper.</summary>
    private readonly ArrayBufferWriter<byte> _copied = new();

    /// <summary>
    /// Adds rows; those that are there already stay as they are. A row that the database refuses for what is in it is
    /// found, logged and left out.
    /// </summary>
    /// <returns>How many were left out.</returns>
    /// <exception cref="NpgsqlException">The database is not there, or not as it should be; some rows may have been added.</exception>
    public Task<int> AddAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancel) => AddPartAsync(rows.ToArray(), cancel);

    /// <summary>
    /// The same for a batch, by COPY: that costs the database half. One whose rows are partly there, or not acceptable, goes the
    /// way of single rows. Not for concurrent use.
    /// </summary>
    /// <returns>How many were left out.</returns>
    /// <exception cref="NpgsqlException">The database is not there, or not as it should be; some rows may have been added.</exception>
    public async Task<int> AddAsync(UsageBatch batch, CancellationToken cancel)
    {
        var lost = 0;
        if (batch.RecordCount > 0 && !await TryCopyAsync(batch, cancel))
        {
            lost = await AddPartAsync(batch.ToRows(), cancel);
        }

        return batch.InMemory.Count == 0 ? lost : lost + await AddPartAsync(batch.InMemory.ToArray(), cancel);
    }

    /// <summary>
    /// The workspaces that have rows: a step through the primary key for each. What is asked of all workspaces is asked of
    /// these, so that it goes by the indexes, which lead with the workspace.
    /// </summary>
    public async Task<Guid[]> WorkspacesAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            """
            WITH RECURSIVE found AS (
                (SELECT workspace_id FROM usage ORDER BY workspace_id LIMIT 1)
                UNION ALL
                SELECT (SELECT u.workspace_id FROM usage u WHERE u.workspace_id > found.workspace_id ORDER BY u.workspace_id LIMIT 1)
                FROM found WHERE found.workspace_id IS NOT NULL)
            SELECT workspace_id FROM found WHERE workspace_id IS NOT NULL
            """);
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            ids.Add(reader.GetGuid(0));
        }

        return [.. ids];
    }

    /// <summary>
    /// Deletes some of a workspace's rows of before a time. Several gateways may do so at once: each takes rows that no
    /// other holds, and nothing is remembered in a session.
    /// </summary>
    /// <returns>How many; 0 when there are no more.</returns>
    public async Task<int> DeleteAsync(Guid workspace, DateTime before, int most, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            """
            DELETE FROM usage WHERE workspace_id = $1 AND id IN (
                SELECT id FROM usage WHERE workspace_id = $1 AND id < $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
            """);
        command.CommandTimeout = CommandSeconds;
        command.Parameters.AddWithValue(workspace);
        command.Parameters.AddWithValue(RandomIds.FirstVersion7(before));
        command.Parameters.AddWithValue(most);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    /// <returns>False when nothing was added for what is in the rows.</returns>
    private async Task<bool> TryCopyAsync(UsageBatch batch, CancellationToken cancel)
    {
        _copied.ResetWrittenCount();
        batch.CopyTo(_copied);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancel);
            // Completed by its disposal; a token that is cancelled before leaves the connection broken, and nothing added.
            await using var copy = await connection.BeginRawBinaryCopyAsync(Copy, cancel);
            copy.ReadTimeout = copy.WriteTimeout = CommandSeconds * 1_000;
            await copy.WriteAsync(_copied.WrittenMemory, cancel);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.UniqueViolation || IsOfTheRows(refused))
        {
            return false;
        }
    }

    private async Task<int> AddPartAsync(ArraySegment<UsageRow> rows, CancellationToken cancel)
    {
        try
        {
            await using var command = source.CreateCommand(Insert);
            command.CommandTimeout = CommandSeconds;
            foreach (var column in Columns)
            {
                command.Parameters.Add(new NpgsqlParameter
                {
                    Value = column.Values(rows),
                    NpgsqlDbType = NpgsqlDbType.Array | column.Type,
                });
            }

            await command.ExecuteNonQueryAsync(cancel);
            return 0;
        }
        catch (Exception refused) when (IsOfTheRows(refused))
        {
            if (rows.Count > 1)
            {
                var half = rows.Count / 2;
                return await AddPartAsync(rows[..half], cancel) + await AddPartAsync(rows[half..], cancel);
            }

            // The state alone: the message may quote the row.
            log.UsageRowLost(rows[0].Id, (refused as PostgresException)?.SqlState ?? refused.GetType().Name);
            return 1;
        }
    }

    /// <summary>
    /// Whether it is what is in a row, and not the database's state: data exceptions, limits, checks, and what the driver
    /// cannot write. Anything else, such as a missing column or right, mends and is waited for.
    /// </summary>
    private static bool IsOfTheRows(Exception refused) => refused is PostgresException { SqlState: { } state }
        ? state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("54", StringComparison.Ordinal) || state == PostgresErrorCodes.CheckViolation
        : refused is ArgumentException or InvalidCastException or OverflowException;

    private sealed record Column(string Name, NpgsqlDbType Type, Func<IEnumerable<UsageRow>, Array> Values);
}
