using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Limits;

/// <summary>What a limited gateway answered.</summary>
internal sealed record LimitedReply(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? Code => (string?)JsonNode.Parse(Body)?["error"]?["code"];

    public string? Type => (string?)JsonNode.Parse(Body)?["error"]?["type"];

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The named <c>x-ratelimit-…</c> header as a number.</summary>
    public long Number(string name) => long.Parse(Header($"x-ratelimit-{name}")!, CultureInfo.InvariantCulture);
}

/// <summary>What tests of limits do with a running gateway and its database.</summary>
internal static class LimitedGateway
{
    public static IReadOnlyDictionary<string, string> Settings { get; } =
        new Dictionary<string, string> { ["Gateway__EncryptionKey"] = Seed.EncryptionKey };

    /// <summary>Makes a key of workspace <c>default</c> and puts limits on it, as an operator would.</summary>
    public static async Task<GatewayKey> CreateLimitedKeyAsync(
        this GatewayProcess gateway, string connectionString, Action<LimitColumns> limit, CancellationToken cancel, string workspace = "default")
    {
        var key = await gateway.CreateKeyAsync(workspace, cancel: cancel);
        await LimitAsync(connectionString, db => db.Keys.Single(k => k.Id == Guid.Parse(key.Id)).Limits, limit, cancel);
        return key;
    }

    /// <summary>Changes limits; running gateways are notified.</summary>
    public static async Task LimitAsync(
        string connectionString, Func<GatewayDb, LimitColumns> of, Action<LimitColumns> limit, CancellationToken cancel)
    {
        await using var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        limit(of(db));
        await db.SaveChangesAsync(cancel);
    }

    public static async Task<LimitedReply> AskAsync(
        this HttpClient client, CancellationToken cancel, string model = "model/name=demo", string more = "")
    {
        using var reply = await client.PostAsync(
            "/v1/chat/completions",
            new StringContent(
                $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}]{{more}}}""", Encoding.UTF8, "application/json"),
            cancel);
        return new LimitedReply(
            (int)reply.StatusCode,
            reply.Headers.ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase),
            await reply.Content.ReadAsStringAsync(cancel));
    }

    /// <summary>
    /// Waits until a gateway knows of a key's limit: its headers say so on a request that takes nothing, since there is no
    /// such model.
    /// </summary>
    public static async Task UntilShownAsync(this HttpClient client, string header, string value, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while ((await client.AskAsync(cancel, "model/name=no-such-model")).Header(header) != value)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{header} did not become {value}.");
            await Task.Delay(20, cancel);
        }
    }

    /// <summary>Waits for the next minute when this one is nearly over.</summary>
    public static async Task EnoughOfTheMinuteAsync(TimeSpan enough, CancellationToken cancel)
    {
        var left = TimeSpan.FromSeconds(60) - TimeSpan.FromSeconds(DateTime.UtcNow.TimeOfDay.TotalSeconds % 60);
        if (left < enough)
        {
            await Task.Delay(left + TimeSpan.FromMilliseconds(200), cancel);
        }
    }

    /// <summary>Every connection to the database that a gateway has open now, but for the one that listens.</summary>
    public static async Task<long> ConnectionsAsync(string connectionString, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancel);
        await using var count = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gateway'", connection);
        return (long)(await count.ExecuteScalarAsync(cancel))!;
    }
}
