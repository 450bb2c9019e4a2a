using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Usage;

/// <summary>What a test wants to know of a row.</summary>
internal sealed record SeenRow(
    Guid Id, string RequestId, string Selector, string? Bot, string? Model, string? Deployment, int Status, string EndReason, bool IsStream,
    bool IsEstimated, long Input, long Output, int Steps, string Attempts);

/// <summary>A gateway whose database can be taken away, in front of a scripted upstream, and the rows that it wrote.</summary>
internal sealed class UsageGateway : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private UsageGateway(string connectionString, DatabaseRelay relay, FakeUpstream upstream)
    {
        (ConnectionString, Relay, Upstream) = (connectionString, relay, upstream);
    }

    /// <summary>The database itself, whatever the relay does.</summary>
    public string ConnectionString { get; }

    public DatabaseRelay Relay { get; }

    public FakeUpstream Upstream { get; }

    public GatewayProcess Process { get; private set; } = null!;

    /// <summary>Sends a key of workspace <c>acme</c>.</summary>
    public HttpClient Client { get; private set; } = null!;

    public string Key { get; private set; } = null!;

    /// <param name="beforeStart">Done with the database before the gateway starts.</param>
    public static async Task<UsageGateway> StartAsync(
        TestPostgres postgres, CancellationToken cancel, Dictionary<string, string>? settings = null, Func<UsageGateway, Task>? beforeStart = null)
    {
        var connectionString = await postgres.CreateDatabaseAsync(cancel: cancel);
        var gateway = new UsageGateway(connectionString, new DatabaseRelay(connectionString), await FakeUpstream.StartAsync());
        try
        {
            gateway.AnswerAll();
            await (beforeStart?.Invoke(gateway) ?? Task.CompletedTask);
            gateway.Process = await GatewayProcess.StartAsync(
                new GatewayLaunch { ConnectionString = gateway.Relay.ConnectionString, Yaml = gateway.Yaml, Settings = settings ?? [] }, cancel);
            gateway.Key = (await gateway.Process.CreateKeyAsync("acme", cancel: cancel)).Text;
            gateway.Client = gateway.Process.Client(gateway.Key);
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    public string Yaml =>
        $$"""
        providers: [ { name: fake, baseUrl: "{{Upstream.BaseUrl}}" } ]
        models: [ { name: m, retries: 0, breaker: { minimum: 1000000 }, deployments: [ { provider: fake, model: real } ] } ]
        workspaces: [ { name: acme, bots: [ { id: helper, model: m, backstory: Help. } ] }, { name: other } ]
        """;

    /// <summary>For the next test of those that share a gateway: the upstream answers all, and there are no rows.</summary>
    public async Task ResetAsync(CancellationToken cancel)
    {
        Upstream.Reset();
        AnswerAll();
        await ExecuteAsync("DELETE FROM usage", cancel);
    }

    /// <summary>Asks and reads the whole answer; answers with its status.</summary>
    public async Task<int> AskAsync(string requestId, string model = "model/name=m", bool stream = false, HttpClient? client = null, CancellationToken cancel = default)
    {
        using var reply = await SendAsync(requestId, model, stream, client, cancel);
        await reply.Content.ReadAsByteArrayAsync(cancel);
        return (int)reply.StatusCode;
    }

    /// <summary>Asks and returns with the headers.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string requestId, string model = "model/name=m", bool stream = false, HttpClient? client = null, CancellationToken cancel = default)
    {
        var text = $$"""{"model":"{{model}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"Hello"}]}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(text, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("x-request-id", requestId);
        return await (client ?? Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>Waits for so many rows.</summary>
    public async Task<IReadOnlyList<SeenRow>> RowsAsync(int count, CancellationToken cancel)
    {
        var rows = await RowsAsync(cancel);
        for (var clock = Stopwatch.StartNew(); rows.Count < count; rows = await RowsAsync(cancel))
        {
            Assert.True(clock.Elapsed < Limit, $"{rows.Count} of {count} rows came within {Limit.TotalSeconds} s.\n{Process.LastWords}");
            await Task.Delay(50, cancel);
        }

        Assert.Equal(count, rows.Count);
        return rows;
    }

    public async Task<IReadOnlyList<SeenRow>> RowsAsync(CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT id, request_id, selector, bot, model, deployment, status, end_reason, is_stream, is_estimated, input_tokens,
                   output_tokens, steps, attempts::text FROM usage ORDER BY at
            """);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<SeenRow>();
        while (await reader.ReadAsync(cancel))
        {
            string? Text(int i) => reader.IsDBNull(i) ? null : reader.GetString(i);
            rows.Add(new SeenRow(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), Text(3), Text(4), Text(5), reader.GetInt32(6), reader.GetString(7),
                reader.GetBoolean(8), reader.GetBoolean(9), reader.GetInt64(10), reader.GetInt64(11), reader.GetInt32(12), reader.GetString(13)));
        }

        return rows;
    }

    /// <summary>Writes a row as a gateway would have.</summary>
    public Task AddRowAsync(
        string workspace, string key, string at, string reason, string? bot, string usd, bool estimated, CancellationToken cancel) =>
        ExecuteAsync(
            $"""
            INSERT INTO usage (workspace_id, id, at, key_id, request_id, route, selector, bot, model, status, end_reason, is_stream, is_estimated,
                input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, usd, duration_ms, steps, attempts)
            SELECT id, '{Guid.CreateVersion7(DateTimeOffset.Parse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))}', '{at}', '{key}', 'r', '/v1/chat/completions', 's', {(bot is null ? "NULL" : $"'{bot}'")}, 'm', 200, '{reason}',
                false, {estimated}, 10, 2, 20, 3, {usd}, 1, 1, '[]' FROM workspaces WHERE name = '{workspace}'
            """, cancel);

    public async Task ExecuteAsync(string sql, CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public async Task UntilAsync(Func<bool> condition, CancellationToken cancel)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); await Task.Delay(20, cancel))
        {
            Assert.True(clock.Elapsed < Limit, $"It did not come true within {Limit.TotalSeconds} s.\n{Process.LastWords}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        await Relay.DisposeAsync();
    }

    private void AnswerAll() => Upstream.Answers(Answer.ByRequest(request => (bool?)request.Json["stream"] == true
        ? Answer.Stream([.. Replies.WordEvents("m", ["Hello ", "there."]).Select(Piece.Of)])
        : Answer.Json(Replies.Completion("m", "Hello."))));
}
