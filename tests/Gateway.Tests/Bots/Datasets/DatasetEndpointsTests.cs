using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Bots.Datasets;

public sealed class DatasetEndpointsTests(DatasetGateway fixture) : IClassFixture<DatasetGateway>
{
    private const string Handbook = "/admin/v1/datasets/handbook";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uploaded_file_is_searched_and_paid_for_by_its_workspace()
    {
        var file = await DatasetGateway.UploadAsync(fixture.Admin, "handbook", "leave.md", Encoding.UTF8.GetBytes("# Leave\nThirty days of holidays a year."));
        var job = await DatasetGateway.WaitAsync(fixture.Admin, "handbook", file["job"]!.ToString());
        var found = await SearchAsync(fixture.Admin, new { query = "how many holidays?" });
        var records = await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/records?file_id={file["id"]}", Cancel);

        Assert.Equal(("done", 1, 1), ((string?)job["status"], (int)job["total"]!, (int)job["done"]!));
        Assert.Equal(("dataset.search_result", "leave.md", "Leave\n\nThirty days of holidays a year."), ((string?)found["data"]![0]!["object"], (string?)found["data"]![0]!["source"], (string?)found["data"]![0]!["text"]));
        Assert.Equal("dataset.record", (string?)Assert.Single(records!["data"]!.AsArray())!["object"]);
        var row = await UsageAsync("ingest");
        Assert.Equal((fixture.Acme, Guid.Empty, "dataset/handbook", 200, "done"), (row.WorkspaceId, row.KeyId, row.Selector, row.Status, row.EndReason));
        Assert.True(row.InputTokens > 0 && row.Usd > 0);
        Assert.NotEqual(Guid.Empty, (await UsageAsync("search")).KeyId);
    }

    [Fact]
    public async Task A_record_is_made_found_changed_and_deleted()
    {
        var made = await SendAsync(HttpMethod.Post, $"{Handbook}/records", new { text = "The xylophone is in room 12.", source = "Music", url = "https://acme.test/music", metadata = new { floor = 1 } });
        var id = made["id"]!.ToString();
        Assert.Equal(id, (string?)(await SearchAsync(fixture.Admin, new { query = "xylophone", filter = new { floor = 1 } }))["data"]![0]!["record_id"]);

        var changed = await SendAsync(HttpMethod.Patch, $"{Handbook}/records/{id}", new { text = "The bagpipe is in room 12." });
        Assert.Equal(("Music", 1), ((string?)changed["source"], (int)changed["metadata"]!["floor"]!));
        Assert.Equal(id, (string?)(await SearchAsync(fixture.Admin, new { query = "bagpipe", max_records = 1 }))["data"]![0]!["record_id"]);

        await SendAsync(HttpMethod.Delete, $"{Handbook}/records/{id}", null);
        using var gone = await fixture.Admin.GetAsync($"{Handbook}/records/{id}", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.DoesNotContain((await SearchAsync(fixture.Admin, new { query = "bagpipe" }))["data"]!.AsArray(), h => (string?)h!["record_id"] == id);
    }

    [Fact]
    public async Task Files_and_jobs_are_listed_and_a_job_for_everything_can_be_asked_for()
    {
        var file = await DatasetGateway.UploadAsync(fixture.Admin, "handbook", "listed.txt", "Listed."u8.ToArray());
        await DatasetGateway.WaitAsync(fixture.Admin, "handbook", file["job"]!.ToString());
        var queued = await SendAsync(HttpMethod.Post, $"{Handbook}/jobs", null);
        var again = await DatasetGateway.WaitAsync(fixture.Admin, "handbook", queued["id"]!.ToString());
        var files = await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/files", Cancel);
        var page = await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/jobs?limit=1", Cancel);
        var next = await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/jobs?limit=1&after={page!["data"]![0]!["id"]}", Cancel);

        Assert.Equal(("done", null), ((string?)again["status"], again["file_id"]));
        Assert.Contains(files!["data"]!.AsArray(), f => (string?)f!["name"] == "listed.txt" && (int)f["bytes"]! == 7 && (string?)f["managed"] == "api");
        Assert.True((bool)page["has_more"]!);
        Assert.NotEqual(page["data"]![0]!["id"]!.ToString(), next!["data"]![0]!["id"]!.ToString());

        await SendAsync(HttpMethod.Delete, $"{Handbook}/files/{file["id"]}", null);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Admin, $"{Handbook}/files/{file["id"]}"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_fails_its_job_with_the_reason()
    {
        var file = await DatasetGateway.UploadAsync(fixture.Admin, "handbook", "bad.json", "{\"a\":"u8.ToArray());
        var job = await DatasetGateway.WaitAsync(fixture.Admin, "handbook", file["job"]!.ToString());

        Assert.Equal("failed", (string?)job["status"]);
        Assert.Contains("not JSON", (string?)job["reason"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_workspaces_key_finds_nothing_and_the_global_one_names_the_workspace()
    {
        var file = await DatasetGateway.UploadAsync(fixture.Admin, "handbook", "secret.txt", "The password is swordfish."u8.ToArray());
        await DatasetGateway.WaitAsync(fixture.Admin, "handbook", file["job"]!.ToString());
        var record = (await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/records?file_id={file["id"]}", Cancel))!["data"]![0]!["id"];

        foreach (var path in new[] { $"files/{file["id"]}", $"jobs/{file["job"]}", $"records/{record}" })
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(fixture.Admin, $"{Handbook}/{path}"));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Other, $"{Handbook}/{path}"));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Other, $"{Handbook}/{path}?workspace=acme"));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Other, $"/admin/v1/datasets/large/{path}"));
        }

        Assert.Empty((await SearchAsync(fixture.Other, new { query = "swordfish" }))["data"]!.AsArray());
        using var global = fixture.Gateway.Client(GatewayProcess.AdminKey);
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(global, $"{Handbook}/files"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(global, $"{Handbook}/files?workspace=acme"));
    }

    [Fact]
    public async Task What_the_yaml_file_made_is_not_changed_here()
    {
        await using var db = fixture.NewContext();
        var dataset = await db.Datasets.SingleAsync(d => d.WorkspaceId == fixture.Acme && d.Name == "handbook", Cancel);
        var file = new DatasetFileRow { WorkspaceId = fixture.Acme, DatasetId = dataset.Id, Id = Guid.CreateVersion7(), Name = "./a.md", Content = "A."u8.ToArray(), Hash = [], Managed = ManagedBy.File, CreatedAt = DateTime.UtcNow };
        db.DatasetFiles.Add(file);
        var job = await IngestJobs.QueueAsync(db, fixture.Acme, dataset.Id, file.Id, TimeProvider.System, Cancel);
        await db.SaveChangesAsync(Cancel);
        await DatasetGateway.WaitAsync(fixture.Admin, "handbook", job.Id.ToString());
        var record = (await fixture.Admin.GetFromJsonAsync<JsonNode>($"{Handbook}/records?file_id={file.Id}", Cancel))!["data"]![0]!["id"];

        using var change = await fixture.Admin.PatchAsJsonAsync($"{Handbook}/records/{record}", new { text = "B." }, Cancel);
        using var deletion = await fixture.Admin.DeleteAsync($"{Handbook}/files/{file.Id}", Cancel);

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (change.StatusCode, deletion.StatusCode));
    }

    [Fact]
    public async Task A_record_that_has_changed_since_it_was_read_is_not_changed_or_deleted()
    {
        var (made, first) = await TaggedAsync(HttpMethod.Post, $"{Handbook}/records", """{"text":"One.","metadata":{"a":1}}""");
        var path = $"{Handbook}/records/{JsonNode.Parse(made)!["id"]}";
        Assert.Equal(first, (await TaggedAsync(HttpMethod.Get, path, null)).Tag);
        var second = (await TaggedAsync(HttpMethod.Patch, path, """{"text":"Two."}""", first)).Tag;

        Assert.NotEqual(first, second);
        Assert.Equal("version_mismatch", await RefusedAsync(HttpMethod.Patch, path, """{"text":"Three."}""", first));
        Assert.Equal("version_mismatch", await RefusedAsync(HttpMethod.Delete, path, null, first));
        // What changes nothing is no new version, however it is written.
        Assert.Equal(second, (await TaggedAsync(HttpMethod.Patch, path, """{"text":"Two.","metadata":{ "a": 1 }}""", $"\"0\", {second}")).Tag);
        var (shown, third) = await TaggedAsync(HttpMethod.Patch, path, """{"source":"Somebody"}""", "*");
        Assert.Equal(("Two.", "Somebody"), ((string?)JsonNode.Parse(shown)!["text"], (string?)JsonNode.Parse(shown)!["source"]));
        await TaggedAsync(HttpMethod.Delete, path, null, third);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Admin, path));
    }

    [Fact]
    public async Task A_file_that_has_changed_since_it_was_read_is_not_replaced_or_deleted()
    {
        var (made, first) = await PutAsync("versions.txt", "One.", null);
        var path = $"{Handbook}/files/{JsonNode.Parse(made)!["id"]}";
        Assert.Equal(first, (await TaggedAsync(HttpMethod.Get, path, null)).Tag);
        var second = (await PutAsync("versions.txt", "Two.", first)).Tag;

        Assert.NotEqual(first, second);
        Assert.Equal("version_mismatch", JsonNode.Parse((await PutAsync("versions.txt", "Three.", first, 412)).Text)!["error"]!["code"]!.ToString());
        Assert.Equal("version_mismatch", JsonNode.Parse((await PutAsync("no-such.txt", "Three.", "*", 412)).Text)!["error"]!["code"]!.ToString());
        Assert.Equal("version_mismatch", await RefusedAsync(HttpMethod.Delete, path, null, first));
        Assert.Equal(second, (await TaggedAsync(HttpMethod.Get, path, null)).Tag);
        await TaggedAsync(HttpMethod.Delete, path, null, second);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(fixture.Admin, path));
    }

    [Theory]
    [InlineData("records", "{}", 400)]
    [InlineData("records", """{"text":" "}""", 400)]
    [InlineData("records", """{"text":"a","url":"javascript:alert(1)"}""", 400)]
    [InlineData("records", """{"text":"a","metadata":[]}""", 400)]
    [InlineData("records", """{"text":"a","surprise":1}""", 400)]
    [InlineData("search", """{"query":""}""", 400)]
    [InlineData("search", """{"query":"a","max_records":0}""", 400)]
    [InlineData("search", """{"query":"a","filter":{"b":{"$near":1}}}""", 400)]
    [InlineData("records", """{"text":"a","metadata":{"a":[1e400000]}}""", 400)]
    [InlineData("records", """{"text":"a","metadata":{"a":1e-400000}}""", 400)]
    [InlineData("records", """{"text":"a","metadata":{"a":"\ud83d"}}""", 400)]
    [InlineData("records", """{"text":"a","metadata":{"\u0000":1}}""", 400)]
    [InlineData("records", """{"text":"a","\ud800":1}""", 400)]
    [InlineData("search", """{"query":"a","filter":{"year":{"$gte":1e400000}}}""", 400)]
    [InlineData("search", """{"query":"a","filter":{"\ud800":1}}""", 400)]
    [InlineData("search", """{"query":"a","filter":{"a":{"\ud800":1}}}""", 400)]
    [InlineData("files", "{}", 415)]
    public async Task What_is_wrong_is_refused(string path, string body, int status)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var reply = await fixture.Admin.PostAsync($"{Handbook}/{path}", content, Cancel);

        Assert.Equal(status, (int)reply.StatusCode);
        Assert.NotNull(JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["error"]!["message"]);
    }

    [Fact]
    public async Task Escaped_pairs_are_taken_and_null_is_the_default()
    {
        var (made, _) = await TaggedAsync(
            HttpMethod.Post, $"{Handbook}/records",
            """{"text":"The ocarina.","source":"Music","url":"https://acme.test/","metadata":{"mood\ud83d\ude00":"\ud83d\ude00 \\u0000","big":1e300}}""");
        var record = JsonNode.Parse(made)!;
        var found = JsonNode.Parse((await TaggedAsync(
            HttpMethod.Post, $"{Handbook}/search", """{"query":"ocarina","filter":{"mood\ud83d\ude00":"\ud83d\ude00 \\u0000"}}""")).Text)!;
        var cleared = JsonNode.Parse((await TaggedAsync(
            HttpMethod.Patch, $"{Handbook}/records/{record["id"]}", """{"source":null,"url":null,"metadata":null}""")).Text)!;

        Assert.Equal(("https://acme.test/", "😀 \\u0000"), ((string?)record["url"], (string?)record["metadata"]!["mood😀"]));
        Assert.Equal(record["id"]!.ToString(), Assert.Single(found["data"]!.AsArray())!["record_id"]!.ToString());
        Assert.Equal(("The ocarina.", "", null, "{}"), ((string?)cleared["text"], (string?)cleared["source"], (string?)cleared["url"], cleared["metadata"]!.ToJsonString()));
    }

    [Fact]
    public async Task An_upload_above_the_limit_or_of_an_unknown_kind_is_refused()
    {
        foreach (var (name, bytes, status) in new[] { ("a.txt", 2_500_000, 413), ("a.exe", 10, 400) })
        {
            using var form = new MultipartFormDataContent();
            using var part = new ByteArrayContent(new byte[bytes]);
            form.Add(part, "file", name);
            using var reply = await fixture.Admin.PostAsync($"{Handbook}/files", form, Cancel);

            Assert.Equal(status, (int)reply.StatusCode);
        }
    }

    [Fact]
    public async Task An_ingestion_survives_kills_in_the_middle_and_ends_with_each_chunk_once()
    {
        // Arrange
        const int Documents = 1_000;
        var lines = Enumerable.Range(0, Documents).Select(n => string.Create(CultureInfo.InvariantCulture, $$$"""{"text":"Document {{{n}}} is about thing{{{n % 50}}} and subject{{{n}}}.","metadata":{"n":{{{n}}}}}"""));
        await using var db = fixture.NewContext();
        var dataset = await db.Datasets.Where(d => d.WorkspaceId == fixture.Acme && d.Name == "large").Select(d => d.Id).SingleAsync(Cancel);
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        var turnOfDataset = $"hashtextextended('{fixture.Acme}{dataset}', 0)";

        // Act: killed while it waits for its turn to write the second batch of chunks, behind us who came after the first.
        JsonNode file;
        await using (var second = await source.OpenConnectionAsync(Cancel))
        {
            Task turn;
            await using (var first = await source.OpenConnectionAsync(Cancel))
            {
                await RunAsync(first, $"SELECT pg_advisory_lock({turnOfDataset})");
                file = await DatasetGateway.UploadAsync(fixture.Admin, "large", "documents.jsonl", Encoding.UTF8.GetBytes(string.Join('\n', lines)));
                await UntilAsync(async () => await WaitersAsync() == 1);
                turn = RunAsync(second, $"SELECT pg_advisory_lock({turnOfDataset})");
                await UntilAsync(async () => await WaitersAsync() == 2);
                await RunAsync(first, $"SELECT pg_advisory_unlock({turnOfDataset})");
            }

            await turn;
            await UntilAsync(async () => await WaitersAsync() == 1);
            await fixture.Gateway.KillAsync();
            await RunAsync(second, $"SELECT pg_advisory_unlock({turnOfDataset})");
        }

        var written = await Chunks(db).CountAsync(Cancel);
        await fixture.Gateway.StartAgainAsync(Cancel);

        // And between two pages of vectors.
        await UntilAsync(async () => await Chunks(db).CountAsync(c => c.VectorModel != null, Cancel) >= 200);
        await fixture.Gateway.KillAsync();
        var survived = await Chunks(db).CountAsync(c => c.VectorModel != null, Cancel);
        await fixture.Gateway.StartAgainAsync(Cancel);
        var job = await DatasetGateway.WaitAsync(fixture.Admin, "large", file["job"]!.ToString());

        // Assert
        Assert.InRange(written, 1, Documents - 1);
        Assert.InRange(survived, 200, Documents - 1);
        Assert.Equal("done", (string?)job["status"]);
        var chunks = await Chunks(db).Select(c => new { c.Text, c.VectorModel }).ToListAsync(Cancel);
        Assert.Equal((Documents, Documents), (chunks.Count, chunks.Select(c => c.Text).Distinct().Count()));
        Assert.All(chunks, c => Assert.Equal("slow-words", c.VectorModel));
        Assert.Equal(Documents, await db.Records.CountAsync(r => r.WorkspaceId == fixture.Acme && r.FileId == Guid.Parse(file["id"]!.ToString()), Cancel));
        Assert.Equal(Documents, await db.Lexemes.Where(l => l.WorkspaceId == fixture.Acme && l.Lexeme == "document").Select(l => l.Chunks).SingleAsync(Cancel));

        IQueryable<ChunkRow> Chunks(GatewayDb context) =>
            from chunk in context.Chunks.AsNoTracking()
            join dataset in context.Datasets on new { chunk.WorkspaceId, chunk.DatasetId } equals new { dataset.WorkspaceId, DatasetId = dataset.Id }
            where chunk.WorkspaceId == fixture.Acme && dataset.Name == "large"
            select chunk;

        async Task<long> WaitersAsync()
        {
            await using var command = source.CreateCommand(
                $"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND ((classid::bigint << 32) | objid::bigint) = {turnOfDataset}");
            return (long)(await command.ExecuteScalarAsync(Cancel))!;
        }
    }

    [Fact]
    public async Task Of_a_caller_who_leaves_at_the_last_moment_nothing_stays()
    {
        // Arrange: what is written behind the record has to wait.
        await using var source = NpgsqlDataSource.Create(fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Cancel);
        await using var holding = await connection.BeginTransactionAsync(Cancel);
        await RunAsync(connection, "LOCK TABLE audit IN SHARE MODE");
        using var left = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var call = fixture.Admin.PostAsJsonAsync($"{Handbook}/records", new { text = "Left behind." }, left.Token);
        await UntilAsync(async () => await WaitersAsync() == 1);

        // Act
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await UntilAsync(async () => await WaitersAsync() == 0);
        await holding.RollbackAsync(Cancel);

        // Assert
        await using var db = fixture.NewContext();
        Assert.False(await db.Records.AnyAsync(r => r.WorkspaceId == fixture.Acme && r.Text == "Left behind.", Cancel));
        Assert.False(await db.Chunks.AnyAsync(c => c.WorkspaceId == fixture.Acme && c.Text == "Left behind.", Cancel));

        async Task<long> WaitersAsync()
        {
            await using var command = source.CreateCommand("SELECT count(*) FROM pg_locks WHERE relation = 'audit'::regclass AND NOT granted");
            return (long)(await command.ExecuteScalarAsync(Cancel))!;
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        for (var looks = 0; !await isTrue(); looks++)
        {
            Assert.True(looks < 3_000, "It did not come as far in a minute.");
            await Task.Delay(20, Cancel);
        }
    }

    private async Task<UsageRow> UsageAsync(string route)
    {
        await using var db = fixture.NewContext();
        for (var tries = 0; tries < 300; tries++)
        {
            if (await db.Usage.AsNoTracking().FirstOrDefaultAsync(u => u.WorkspaceId == fixture.Acme && u.Route == route && u.Selector == "dataset/handbook", Cancel) is { } row)
            {
                return row;
            }

            await Task.Delay(50, Cancel);
        }

        throw new TimeoutException($"There is no usage row of {route}.");
    }

    private async Task<(string Text, string? Tag)> TaggedAsync(HttpMethod method, string path, string? body, string? wanted = null, int status = 200)
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await TaggedAsync(method, path, content, wanted, status);
    }

    private async Task<(string Text, string? Tag)> TaggedAsync(HttpMethod method, string path, HttpContent? content, string? wanted, int status)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (wanted is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", wanted);
        }

        using var reply = await fixture.Admin.SendAsync(request, Cancel);
        var text = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(status == (int)reply.StatusCode, $"{(int)reply.StatusCode} {text}");
        return (text, reply.Headers.ETag?.ToString());
    }

    private async Task<string> RefusedAsync(HttpMethod method, string path, string? body, string? wanted) =>
        JsonNode.Parse((await TaggedAsync(method, path, body, wanted, 412)).Text)!["error"]!["code"]!.ToString();

    private async Task<(string Text, string? Tag)> PutAsync(string name, string text, string? wanted, int status = 200)
    {
        using var form = new MultipartFormDataContent();
        using var part = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        form.Add(part, "file", name);
        return await TaggedAsync(HttpMethod.Post, $"{Handbook}/files", form, wanted, status);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var reply = await client.GetAsync(path, Cancel);
        return reply.StatusCode;
    }

    private static async Task<JsonNode> SearchAsync(HttpClient client, object question)
    {
        using var reply = await client.PostAsJsonAsync($"{Handbook}/search", question, Cancel);
        return JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!;
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var reply = await fixture.Admin.SendAsync(request, Cancel);
        var text = await reply.Content.ReadAsStringAsync(Cancel);
        Assert.True(reply.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
