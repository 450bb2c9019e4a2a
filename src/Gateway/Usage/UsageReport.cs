using Gateway.Data;
using Npgsql;

namespace Gateway.Usage;

/// <summary>What a report's lines are of.</summary>
internal enum UsageGroup
{
    Day,
    Workspace,
    Key,
    Bot,
    Model,
}

/// <param name="Workspace">The only one wanted; null: all, for the operator.</param>
/// <param name="Start">Included, UTC.</param>
/// <param name="End">Not included, UTC.</param>
internal sealed record UsageQuestion(Guid? Workspace, DateTime Start, DateTime End, IReadOnlyList<UsageGroup> Groups, int MostLines);

/// <summary>A report: names, and for each line as many values: texts, whole numbers, money, null.</summary>
internal sealed record UsageLines(IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Lines);

/// <summary>Sums over the table <c>usage</c>.</summary>
internal sealed class UsageReport(NpgsqlDataSource source, UsageTable table)
{
    private const int CommandSeconds = 60;

    /// <summary>An id is of the millisecond in which its request began.</summary>
    private static readonly TimeSpan IdPrecision = TimeSpan.FromMilliseconds(1);

    // A refusal or a break, as the caller saw it; a caller who left is none.
    private const string Sums =
        """
        count(*) AS requests,
        count(*) FILTER (WHERE u.end_reason NOT IN ('done', 'rescued', 'upstream_cut', 'caller_left')) AS errors,
        sum(u.input_tokens)::bigint AS input_tokens,
        sum(u.cached_input_tokens)::bigint AS cached_input_tokens,
        sum(u.output_tokens)::bigint AS output_tokens,
        sum(u.reasoning_tokens)::bigint AS reasoning_tokens,
        coalesce(sum(u.usd), 0) AS usd,
        count(*) FILTER (WHERE u.is_estimated) AS estimated_requests,
        count(*) FILTER (WHERE u.usd IS NULL) AS unpriced_requests
        """;

    /// <returns>Null when there are more lines than wanted.</returns>
    public async Task<UsageLines?> ReadAsync(UsageQuestion question, CancellationToken cancel)
    {
        var workspaces = question.Workspace is { } one ? [one] : await table.WorkspacesAsync(cancel);
        await using var command = source.CreateCommand(Statement(question.Groups));
        command.CommandTimeout = CommandSeconds;
        command.Parameters.AddWithValue(workspaces);
        command.Parameters.AddWithValue(question.Start);
        command.Parameters.AddWithValue(question.End);
        command.Parameters.AddWithValue(question.MostLines + 1);
        command.Parameters.AddWithValue(RandomIds.FirstVersion7(question.Start));
        command.Parameters.AddWithValue(RandomIds.FirstVersion7(
            question.End < DateTime.MaxValue - IdPrecision ? question.End + IdPrecision : DateTime.MaxValue));

        var lines = new List<object?[]>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToList();
        while (await reader.ReadAsync(cancel))
        {
            var line = new object?[columns.Count];
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            }

            lines.Add(line);
        }

        return lines.Count > question.MostLines ? null : new UsageLines(columns, lines);
    }

    /// <summary>Names are looked up behind the sums; the rows outlive what they name, so some are null.</summary>
    private static string Statement(IReadOnlyList<UsageGroup> groups)
    {
        var keys = string.Join(", ", groups.Select(Key));
        var shown = string.Join(", ", groups.Select(Shown));
        // A key is found by its workspace and its id; only within one does a key's id mean anything to the database.
        var needsWorkspace = groups.Contains(UsageGroup.Key) || groups.Contains(UsageGroup.Workspace);
        var inner = needsWorkspace ? $"{keys}, u.workspace_id AS of_workspace" : keys;
        var count = groups.Count + (needsWorkspace ? 1 : 0);
        return
            $"""
            SELECT {shown}, requests, errors, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, usd,
                   estimated_requests, unpriced_requests
            FROM (
                SELECT {inner}, {Sums}
                FROM usage u
                WHERE u.workspace_id = ANY($1) AND u.id >= $5 AND u.id < $6 AND u.at >= $2 AND u.at < $3
                GROUP BY {string.Join(", ", Enumerable.Range(1, count))}) AS g
            {(groups.Contains(UsageGroup.Key) ? "LEFT JOIN keys k ON k.workspace_id = g.of_workspace AND k.id = g.of_key" : "")}
            {(groups.Contains(UsageGroup.Workspace) ? "LEFT JOIN workspaces w ON w.id = g.of_workspace" : "")}
            ORDER BY {string.Join(", ", groups.Select(Order))}
            LIMIT $4
            """;
    }

    private static string Key(UsageGroup group) => group switch
    {
        UsageGroup.Day => "(u.at AT TIME ZONE 'UTC')::date AS of_day",
        UsageGroup.Workspace => "u.workspace_id AS of_workspace_too",
        UsageGroup.Key => "u.key_id AS of_key",
        UsageGroup.Bot => "u.bot AS of_bot",
        _ => "u.model AS of_model",
    };

    private static string Shown(UsageGroup group) => group switch
    {
        UsageGroup.Day => "to_char(of_day, 'YYYY-MM-DD') AS day",
        UsageGroup.Workspace => "of_workspace::text AS workspace_id, w.name AS workspace",
        UsageGroup.Key => "of_key::text AS key_id, k.name AS key_name",
        UsageGroup.Bot => "of_bot AS bot",
        _ => "of_model AS model",
    };

    private static string Order(UsageGroup group) => group switch
    {
        UsageGroup.Day => "of_day",
        UsageGroup.Workspace => "of_workspace",
        UsageGroup.Key => "of_key",
        UsageGroup.Bot => "of_bot NULLS FIRST",
        _ => "of_model NULLS FIRST",
    };
}
