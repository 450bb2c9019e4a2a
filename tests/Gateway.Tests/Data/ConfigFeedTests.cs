using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Bots;
using Gateway.Data;
using Gateway.Http;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Data;

/// <summary>In what order the parts of a configuration become known, when a reading of it takes long.</summary>
public sealed class ConfigFeedTests(TestPostgres postgres)
{
    private const string Key = "sk-gw-of-the-test";

    private static readonly TimeSpan OftenEnough = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_known_no_sooner_than_the_bot_that_was_made_with_it()
    {
        // Arrange
        await using var feed = await Feed.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await using var busy = await feed.OpenAsync();
        await InsertAsync(busy, feed.Workspace, "support");
        await using var locked = await busy.BeginTransactionAsync(Cancel);
        await ExecuteAsync(busy, "LOCK TABLE bots IN ACCESS EXCLUSIVE MODE");

        // Act
        var reading = feed.ReadAsync();
        await feed.UntilWaitingAsync();
        var early = feed.Find("support");
        await locked.CommitAsync(Cancel);
        await reading;

        // Assert
        Assert.Null(early);
        Assert.NotNull(feed.Bots.Find(feed.Find("support")!, "support"));
    }

    [Fact]
    public async Task A_key_saved_with_its_bot_while_the_bots_were_already_read_is_not_known_without_it()
    {
        // Arrange: something to read, and keys that cannot be read yet.
        await using var feed = await Feed.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        await using var busy = await feed.OpenAsync();
        await InsertAsync(busy, feed.Workspace, "first");
        await using var locked = await busy.BeginTransactionAsync(Cancel);
        await ExecuteAsync(busy, "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE");
        var reading = feed.ReadAsync();
        await feed.UntilWaitingAsync();

        // Act
        await InsertAsync(busy, feed.Workspace, "second");
        await locked.CommitAsync(Cancel);
        await reading;

        // Assert
        Assert.NotNull(feed.Find("first"));
        Assert.True(feed.Find("second") is not { } caller || feed.Bots.Find(caller, "second") is not null);
        await feed.ReadAsync();
        Assert.NotNull(feed.Bots.Find(feed.Find("second")!, "second"));
    }

    [Fact]
    public async Task A_version_that_was_told_along_with_something_else_is_not_looked_for()
    {
        // Arrange: it is of later than the test's end.
        await using var feed = await Feed.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel), OftenEnough);
        feed.Tell(feed.Version);
        await Trouble.UntilAsync(() => Task.FromResult(feed.Age < TimeSpan.Zero));
        var looks = feed.Looks;

        // Act
        await feed.ReadAsync();

        // Assert
        Assert.Equal(looks + 1, feed.Looks);
    }

    [Fact]
    public async Task A_version_that_was_told_and_is_another_one_is_looked_for()
    {
        await using var feed = await Feed.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel), OftenEnough);
        feed.Tell(feed.Version + 1);
        var looks = feed.Looks;

        await Trouble.UntilAsync(() => Task.FromResult(feed.Looks > looks + 1));
    }

    /// <summary>Adds a key and a bot of one name as another gateway would, but tells nobody.</summary>
    private static Task InsertAsync(NpgsqlConnection connection, Guid workspace, string name) => ExecuteAsync(connection,
        $"""
        WITH next AS (UPDATE config_version SET version = version + 1 RETURNING version),
          key AS (INSERT INTO keys (workspace_id, id, name, hash, ending, scopes, selectors, created_at, version)
            SELECT '{workspace}', gen_random_uuid(), '{name}', '\x{Convert.ToHexString(HashOf(name))}', '', ARRAY['chat'], ARRAY[]::text[], now(), version FROM next)
        INSERT INTO bots (workspace_id, id, name, description, model, backstory, parameters, locked_parameters, web_search, expose_steps, managed, created_at, version)
          SELECT '{workspace}', '{name}', '{name}', '', 'm', '', '{"{}"}', ARRAY[]::text[], false, false, 0, now(), version FROM next
        """);

    private static byte[] HashOf(string name) => SHA256.HashData(Encoding.UTF8.GetBytes($"{Key}-{name}"));

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>Counts what is begun with a database.</summary>
    private sealed class CountedDatabases(IDbContextFactory<GatewayDb> databases) : IDbContextFactory<GatewayDb>
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public GatewayDb CreateDbContext()
        {
            Interlocked.Increment(ref _count);
            return databases.CreateDbContext();
        }
    }

    /// <summary>A feed of keys and bots, in the order in which the gateway registers them, that reads when it is asked to.</summary>
    private sealed class Feed : IAsyncDisposable
    {
        private readonly string _database;

        /// <summary>Where the feed listens for news, and nobody answers: all that is read is what the test asks for.</summary>
        private readonly TcpListener _silence = new(IPAddress.Loopback, 0);
        private readonly JobSignal _jobs = new();
        private readonly SecretBox _box = new(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes));
        private readonly KeyTable _keys = new();
        private readonly DatabaseNews _news = new(TimeProvider.System);
        private readonly CountedDatabases _looks;
        private readonly ConfigFeed _feed;

        private Feed(string database, TimeSpan poll)
        {
            _database = database;
            _silence.Start();
            var databases = new PooledDbContextFactory<GatewayDb>(new DbContextOptionsBuilder<GatewayDb>().UseNpgsql(database).Options);
            var settings = new GatewaySettings
            {
                ConnectionString = string.Create(
                    CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={((IPEndPoint)_silence.LocalEndpoint).Port};Timeout=300"),
                PollInterval = poll,
            };
            _looks = new CountedDatabases(databases);
            Bots = new BotCatalog(databases, new BotReader(_box, NullLogger<BotReader>.Instance), settings, TimeProvider.System);
            _feed = new ConfigFeed(_looks, [_keys, Bots], _jobs, _news, settings, TimeProvider.System, NullLogger<ConfigFeed>.Instance);
        }

        public BotCatalog Bots { get; }

        public Guid Workspace { get; private set; }

        public int Looks => _looks.Count;

        public TimeSpan Age => _feed.Age;

        public long Version => _feed.Version;

        /// <param name="poll">How often it looks without being asked; zero: never.</param>
        public static async Task<Feed> StartAsync(string database, TimeSpan poll = default)
        {
            var feed = new Feed(database, poll);
            await using var seed = await Seed.OpenAsync(database, Cancel);
            feed.Workspace = seed.AddWorkspace("acme");
            await seed.SaveAsync(Cancel);
            await feed._feed.StartAsync(Cancel);
            return feed;
        }

        public Caller? Find(string name) => _keys.Find(KeyHash.Of($"{Key}-{name}"));

        /// <summary>Tells it of a version, as of an hour from now.</summary>
        public void Tell(long version) => _news.Tell(
            TimeProvider.System.GetTimestamp() + (3_600 * TimeProvider.System.TimestampFrequency), 1, version, null);

        public Task ReadAsync() => _feed.CatchUpAsync(Cancel);

        public async Task<NpgsqlConnection> OpenAsync()
        {
            var connection = new NpgsqlConnection(_database);
            await connection.OpenAsync(Cancel);
            return connection;
        }

        /// <summary>Until the reading cannot go on for a lock. The bots' first use, which is prepared meanwhile, may wait for it too.</summary>
        public async Task UntilWaitingAsync() => await Trouble.UntilAsync(async () => true.Equals(await Trouble.ScalarAsync(
            _database,
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%version > %')
            """)));

        public async ValueTask DisposeAsync()
        {
            await _feed.StopAsync(CancellationToken.None);
            _feed.Dispose();
            _silence.Dispose();
            _jobs.Dispose();
            Bots.Dispose();
            _box.Dispose();
        }
    }
}
