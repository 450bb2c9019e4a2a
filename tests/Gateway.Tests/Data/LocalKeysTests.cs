using System.Security.Cryptography;
using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Data;

public sealed class LocalKeysTests(TestPostgres postgres) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Keys_are_made_once_and_only_their_owner_can_read_them()
    {
        await using var database = await OpenAsync();

        var first = await FingerprintAsync(database, Settings("a"));
        var second = await FingerprintAsync(database, Settings("a"));
        var admin = await AdminAsync(database, "a");
        var again = await AdminAsync(database, "a");

        Assert.Equal(first, second);
        Assert.Equal(admin, again);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(FileIn("a", "encryption-key")));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(FileIn("a", "admin-key")));
        Assert.Equal(["admin-key", "encryption-key"], Directory.GetFiles(Path.Combine(_folder, "a")).Select(Path.GetFileName).Order());
        Assert.Equal(admin, Hash((await File.ReadAllTextAsync(FileIn("a", "admin-key"), Cancel)).Trim()));
    }

    [Fact]
    public async Task A_missing_key_refuses_the_start_and_leaves_no_other_behind()
    {
        await using var database = await OpenAsync();
        await FingerprintAsync(database, Settings("a"));

        var refused = await Assert.ThrowsAsync<SettingsException>(() => FingerprintAsync(database, Settings("b")));

        Assert.Contains("Gateway__EncryptionKey", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(FileIn("b", "encryption-key")));
    }

    [Fact]
    public async Task Another_key_refuses_the_start_and_the_right_one_opens()
    {
        await using var database = await OpenAsync();
        var fingerprint = await FingerprintAsync(database, Settings("a"));
        var right = (await File.ReadAllTextAsync(FileIn("a", "encryption-key"), Cancel)).Trim();

        var refused = await Assert.ThrowsAsync<SettingsException>(
            () => FingerprintAsync(database, Settings("b", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))));

        Assert.Contains("Gateway__EncryptionKey", refused.Message, StringComparison.Ordinal);
        Assert.Equal(fingerprint, await FingerprintAsync(database, Settings("b", right)));
    }

    [Theory]
    [InlineData("far too short")]
    [InlineData("AAAA")]
    public async Task A_malformed_key_is_refused_without_showing_it(string key)
    {
        await using var database = await OpenAsync();

        var refused = await Assert.ThrowsAsync<SettingsException>(() => FingerprintAsync(database, Settings("a", key)));

        Assert.Contains("Gateway__EncryptionKey", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gateways_that_share_a_directory_and_start_together_share_the_keys()
    {
        await using var database = await OpenAsync();

        var boxes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => FingerprintAsync(database, Settings("a")), Cancel)));
        var admins = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => AdminAsync(database, "a"), Cancel)));

        Assert.Single(boxes.Distinct());
        Assert.Single(admins.Distinct());
        Assert.Equal(admins[0], Hash((await File.ReadAllTextAsync(FileIn("a", "admin-key"), Cancel)).Trim()));
    }

    [Fact]
    public async Task Gateways_with_directories_of_their_own_never_keep_a_key_that_opens_nothing()
    {
        await using var database = await OpenAsync();
        string[] names = ["a", "b", "c", "d"];

        var outcomes = await Task.WhenAll(names.Select(name => Task.Run(
            async () =>
            {
                await AdminAsync(database, name);
                try
                {
                    return await FingerprintAsync(database, Settings(name));
                }
                catch (SettingsException refused)
                {
                    Assert.Contains("Gateway__EncryptionKey", refused.Message, StringComparison.Ordinal);
                    return null;
                }
            },
            Cancel)));

        Assert.Single(outcomes, fingerprint => fingerprint is not null);
        Assert.Single(names, name => File.Exists(FileIn(name, "encryption-key")));
        Assert.Single(names, name => File.Exists(FileIn(name, "admin-key")));
    }

    private async Task<GatewayDatabase> OpenAsync() => await GatewayDatabase.OpenAsync(
        new GatewaySettings { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel) },
        DatabaseUse.Serve, migrate: true, TimeProvider.System, _ => { }, Cancel);

    private static async Task<string> FingerprintAsync(GatewayDatabase database, GatewaySettings settings)
    {
        using var box = await LocalKeys.OpenBoxAsync(settings, database.Source, Cancel);
        return box.Fingerprint;
    }

    private async Task<string> AdminAsync(GatewayDatabase database, string name)
    {
        return Convert.ToHexString(await LocalKeys.AdminKeyHashAsync(
            Settings(name), database.Source, () => Guid.NewGuid().ToString(), key => Convert.FromHexString(Hash(key)), Cancel));
    }

    private static string Hash(string key) => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key)));

    private GatewaySettings Settings(string name, string key = "") => new() { DataDirectory = Path.Combine(_folder, name), EncryptionKey = key };

    private string FileIn(string name, string file) => Path.Combine(_folder, name, file);
}
