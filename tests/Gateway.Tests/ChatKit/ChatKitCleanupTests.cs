using Gateway.ChatKit;
using Gateway.ChatKit.Attachments;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.ChatKit;

/// <summary>Sessions and files that nobody comes back for. More of each than one statement takes, and two that are needed.</summary>
public sealed class ChatKitCleanupTests(TestPostgres postgres)
{
    private const int Old = 1_200;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sessions_a_day_after_their_end_are_deleted_and_younger_ones_stay()
    {
        await using var database = await MakeAsync();
        await ExecuteAsync(
            database,
            $"""
            INSERT INTO chatkit_sessions (workspace_id, id, secret_hash, key_id, bot_id, user_id, options, requests_per_minute, requests, files, created_at, expires_at)
            SELECT w.id, 's' || n, sha256(n::text::bytea), gen_random_uuid(), 'support', 'ada', '{"{}"}', 10, 0, 0, now() - interval '3 days',
                CASE WHEN n < {Old} THEN now() - interval '25 hours' WHEN n = {Old} THEN now() - interval '23 hours' ELSE now() + interval '1 hour' END
            FROM workspaces w, generate_series(0, {Old} + 1) n
            """);

        await CleanAsync(database, new GatewaySettings());

        Assert.Equal([$"s{Old}", $"s{Old + 1}"], await IdsAsync(database, "chatkit_sessions"));
    }

    [Theory]
    [InlineData("database")]
    [InlineData("disk")]
    public async Task Files_that_no_message_named_for_a_day_go_with_their_bytes_and_others_stay(string where)
    {
        await using var database = await MakeAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-cleanup-");
        try
        {
            var settings = new GatewaySettings { Attachments = where, DataDirectory = folder.FullName };
            var bytes = Path.Combine(folder.FullName, "attachments", (await WorkspaceAsync(database)).ToString("n"));
            await ExecuteAsync(
                database,
                $"""
                INSERT INTO chatkit_threads (workspace_id, id, bot_id, user_id, created_at, document)
                SELECT id, 'thr_1', 'support', 'ada', now() - interval '25 hours', '{"{}"}' FROM workspaces;
                INSERT INTO chatkit_attachments (workspace_id, id, bot_id, user_id, thread_id, mime_type, size, is_uploaded, created_at, document)
                SELECT w.id, 'atc_' || n, 'support', 'ada', CASE WHEN n = {Old} THEN 'thr_1' WHEN n < 3 THEN 'thr_deleted' END, 'text/plain', 3, true,
                    CASE WHEN n > {Old} THEN now() - interval '23 hours' ELSE now() - interval '25 hours' END, '{"{}"}'
                FROM workspaces w, generate_series(0, {Old} + 1) n
                """);
            if (where == "disk")
            {
                Directory.CreateDirectory(bytes);
                for (var n = 0; n <= Old + 1; n++)
                {
                    await File.WriteAllTextAsync(Path.Combine(bytes, $"atc_{n}"), "abc", Cancel);
                }
            }
            else
            {
                await ExecuteAsync(database, "INSERT INTO chatkit_contents (workspace_id, attachment_id, content) SELECT workspace_id, id, 'abc' FROM chatkit_attachments");
            }

            await CleanAsync(database, settings);

            string[] kept = [$"atc_{Old}", $"atc_{Old + 1}"];
            Assert.Equal(kept, await IdsAsync(database, "chatkit_attachments"));
            Assert.Equal(
                kept,
                where == "disk"
                    ? Directory.GetFiles(bytes).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
                    : await IdsAsync(database, "chatkit_contents", "attachment_id"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Files_on_the_disk_without_a_record_go_once_they_are_a_day_old(bool isWorkspaceGone)
    {
        await using var database = await MakeAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-cleanup-");
        try
        {
            var bytes = Path.Combine(folder.FullName, "attachments", (await WorkspaceAsync(database)).ToString("n"));
            var apart = Path.Combine(folder.FullName, "attachments", "lost+found");
            Directory.CreateDirectory(bytes);
            Directory.CreateDirectory(apart);
            await ExecuteAsync(
                database,
                $"""
                INSERT INTO chatkit_attachments (workspace_id, id, bot_id, user_id, mime_type, size, is_uploaded, created_at, document)
                SELECT w.id, file, 'support', 'ada', 'text/plain', 3, true, now() - interval '23 hours', '{"{}"}'
                FROM workspaces w, unnest(ARRAY['atc_known', 'atc_0']) file
                """);
            foreach (var name in Enumerable.Range(0, Old).Select(n => $"atc_{n}").Append("atc_known").Append($"atc_x.{Guid.NewGuid():n}.part"))
            {
                await WriteAsync(Path.Combine(bytes, name), TimeSpan.FromHours(25));
            }

            await WriteAsync(Path.Combine(bytes, "atc_young"), TimeSpan.FromHours(23));
            await WriteAsync(Path.Combine(bytes, "atc_coming.part"), TimeSpan.FromHours(23));
            await WriteAsync(Path.Combine(apart, "not ours"), TimeSpan.FromHours(25));
            if (isWorkspaceGone)
            {
                await ExecuteAsync(database, "DELETE FROM workspaces");
            }

            await CleanAsync(database, new GatewaySettings { Attachments = "disk", DataDirectory = folder.FullName });

            string[] kept = isWorkspaceGone ? ["atc_coming.part", "atc_young"] : ["atc_0", "atc_coming.part", "atc_known", "atc_young"];
            Assert.Equal(kept, Directory.GetFiles(bytes).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
            Assert.Single(Directory.GetFiles(apart));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task WriteAsync(string path, TimeSpan age)
    {
        await File.WriteAllTextAsync(path, "abc", Cancel);
        File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime - age);
    }

    private static async Task CleanAsync(NpgsqlDataSource database, GatewaySettings settings)
    {
        using var cleanup = new ChatKitCleanup(
            database, new AttachmentBytes(database, settings), TimeProvider.System, NullLogger<ChatKitCleanup>.Instance);
        await cleanup.RunAsync(Cancel);
    }

    private async Task<NpgsqlDataSource> MakeAsync()
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await ExecuteAsync(database, "INSERT INTO workspaces (id, name, managed, created_at, version) VALUES (gen_random_uuid(), 'acme', 0, now(), 1)");
        return database;
    }

    private static async Task<Guid> WorkspaceAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT id FROM workspaces");
        return (Guid)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private static async Task<List<string>> IdsAsync(NpgsqlDataSource database, string table, string column = "id")
    {
        await using var command = database.CreateCommand($"SELECT {column} FROM {table}");
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var ids = new List<string>();
        while (await reader.ReadAsync(Cancel))
        {
            ids.Add(reader.GetString(0));
        }

        return [.. ids.Order(StringComparer.Ordinal)];
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
