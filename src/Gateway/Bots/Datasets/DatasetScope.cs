using Gateway.Data;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>Whose rows a query is about. Every query of this folder carries it.</summary>
internal readonly record struct DatasetScope(Guid Workspace, Guid Dataset)
{
    /// <summary>A command on an open connection with <c>@ws</c> and <c>@ds</c> set.</summary>
    public NpgsqlCommand Command(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("ws", Workspace);
        command.Parameters.AddWithValue("ds", Dataset);
        return command;
    }
}

/// <summary>How the records of a dataset are cut and indexed.</summary>
/// <param name="Language">A text search configuration of Postgres.</param>
/// <param name="EmbeddingModel">Null: words alone.</param>
internal sealed record DatasetSettings(
    DatasetScope Scope, string Workspace, string Name, string Language, string? EmbeddingModel, int ChunkTokens, int OverlapTokens)
{
    /// <summary>Null when the dataset is gone.</summary>
    public static async Task<DatasetSettings?> ReadAsync(NpgsqlDataSource source, DatasetScope scope, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            """
            SELECT w.name, d.name, d.language, d.embedding_model, d.chunk_tokens, d.overlap_tokens
            FROM datasets d JOIN workspaces w ON w.id = d.workspace_id WHERE d.workspace_id = @ws AND d.id = @ds
            """);
        await using var row = await command.ExecuteReaderAsync(cancel);
        return !await row.ReadAsync(cancel) ? null : new DatasetSettings(
            scope, row.GetString(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3),
            row.GetInt32(4), row.GetInt32(5));
    }

    public static DatasetSettings Of(DatasetRow row, string workspace) => new(
        new DatasetScope(row.WorkspaceId, row.Id), workspace, row.Name, row.Language, row.EmbeddingModel, row.ChunkTokens, row.OverlapTokens);
}
