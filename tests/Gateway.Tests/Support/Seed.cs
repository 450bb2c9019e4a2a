using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Tests.Support;

/// <summary>
/// Writes configuration straight into a database, without a file in between; running gateways are notified. For one
/// that starts afterwards set <c>Gateway__EncryptionKey</c> to <see cref="EncryptionKey"/>.
/// </summary>
internal sealed class Seed : IAsyncDisposable
{
    private readonly GatewayDb _db;
    private readonly SecretBox _box = new(Convert.FromBase64String(EncryptionKey));

    private Seed(GatewayDb db) => _db = db;

    /// <summary>What this seed seals secrets with: 32 bytes, base64.</summary>
    public static string EncryptionKey { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes));

    /// <summary>Opens the database and applies the migrations that it lacks.</summary>
    public static async Task<Seed> OpenAsync(string connectionString, CancellationToken cancel)
    {
        var db = new GatewayDb(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(connectionString).Options);
        if ((await db.Database.GetPendingMigrationsAsync(cancel)).Any())
        {
            await db.Database.MigrateAsync(cancel);
        }

        return new Seed(db);
    }

    public Guid AddWorkspace(string name)
    {
        var row = new WorkspaceRow { Id = Guid.CreateVersion7(), Name = name, CreatedAt = DateTime.UtcNow };
        _db.Workspaces.Add(row);
        return row.Id;
    }

    public Guid AddProvider(string name, string baseUrl, string? apiKey = null, Dictionary<string, string>? headers = null)
    {
        var row = new ProviderRow
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            BaseUrl = baseUrl,
            ApiKey = apiKey is null ? null : _box.Seal(apiKey, SecretOwners.ProviderKey(name)),
            Headers = headers is null ? null : _box.Seal(JsonSerializer.Serialize(headers), SecretOwners.ProviderHeaders(name)),
        };
        _db.Providers.Add(row);
        return row.Id;
    }

    /// <param name="upstreamModel">Null: the name that the caller used.</param>
    /// <param name="change">Sets what differs from the documented defaults.</param>
    public void AddModel(string name, Guid provider, string? upstreamModel = null, Action<ModelRow>? change = null)
    {
        var row = new ModelRow
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            Workspaces = [],
            DropParams = [],
            ConnectMs = 3_000,
            HeadersMs = 60_000,
            FirstContentMs = 60_000,
            IdleMs = 60_000,
            TotalMs = 600_000,
            // One attempt for one request, unless a test says otherwise: failures of one test are not the next one's.
            Retries = 0,
            BreakerMinimum = 1_000_000,
            CreatedAt = DateTime.UtcNow,
        };
        row.Deployments.Add(new DeploymentRow { ModelId = row.Id, Position = 0, ProviderId = provider, UpstreamModel = upstreamModel });
        change?.Invoke(row);
        _db.Models.Add(row);
    }

    /// <param name="parameters">A JSON object.</param>
    public void AddBot(
        Guid workspace, string id, string model, string backstory, string parameters = "{}", params string[] locked) =>
        _db.Bots.Add(new BotRow
        {
            WorkspaceId = workspace,
            Id = id,
            Name = $"The {id}",
            Description = $"Made for a test of {id}.",
            Model = model,
            Backstory = backstory,
            Parameters = parameters,
            LockedParameters = locked,
            CreatedAt = DateTime.UtcNow,
        });

    /// <summary>A bot that is more than a backstory and a model.</summary>
    public void AddBot(Guid workspace, string id, string model, string backstory, Action<BotRow> change)
    {
        AddBot(workspace, id, model, backstory);
        change(_db.Bots.Local.Single(bot => bot.WorkspaceId == workspace && bot.Id == id));
    }

    public Task SaveAsync(CancellationToken cancel) => _db.SaveChangesAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        await _db.DisposeAsync();
        _box.Dispose();
    }
}
