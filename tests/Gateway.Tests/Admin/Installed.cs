using Gateway.Admin;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

/// <summary>A migrated database and what a start makes in it, without a server.</summary>
internal sealed class Installed : IAsyncDisposable
{
    private const string Yaml = "gateway.yaml";

    private readonly ApplyFiles _files = new(TimeProvider.System);
    private readonly string _folder;
    private readonly Installation _installation;

    private Installed(string folder, GatewaySettings settings, GatewayDatabase database, Installation installation) =>
        (_folder, Settings, Database, _installation) = (folder, settings, database, installation);

    public GatewaySettings Settings { get; }

    public GatewayDatabase Database { get; }

    public SecretBox Box => _installation.Box;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Installed> InAsync(TestPostgres postgres, bool demo = true)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        var settings = new GatewaySettings
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
            DataDirectory = folder,
            Demo = demo,
        };
        var database = await GatewayDatabase.OpenAsync(settings, DatabaseUse.Serve, migrate: true, TimeProvider.System, _ => { }, Cancel);
        var installation = await Installation.OpenAsync(settings, database, TimeProvider.System, _ => { }, Cancel);
        return new Installed(folder, settings, database, installation);
    }

    /// <summary>Applies a file that must be right and answers with what it says that it changed.</summary>
    public async Task<IReadOnlyList<string>> ApplyAsync(
        string yaml, ApplyOptions? options = null, Dictionary<string, string>? environment = null)
    {
        var (changes, errors, _) = await RunAsync(yaml, options, environment);
        Assert.Empty(errors);
        return changes;
    }

    /// <summary>Applies a file that must be right and answers with what it is warned of.</summary>
    public async Task<IReadOnlyList<string>> WarningsAsync(string yaml, Dictionary<string, string>? environment = null)
    {
        var (_, errors, warnings) = await RunAsync(yaml, null, environment);
        Assert.Empty(errors);
        return warnings;
    }

    /// <summary>Applies a file that must be refused and answers with the errors as the command line prints them.</summary>
    public async Task<IReadOnlyList<string>> RefusedAsync(string yaml, ApplyOptions? options = null)
    {
        var (changes, errors, _) = await RunAsync(yaml, options, null);
        Assert.Empty(changes);
        Assert.NotEmpty(errors);
        return errors;
    }

    /// <summary>Reads with a context of its own, so that nothing comes from memory.</summary>
    public async Task<T> ReadAsync<T>(Func<GatewayDb, Task<T>> read)
    {
        await using var db = Database.NewContext();
        return await read(db);
    }

    public async ValueTask DisposeAsync()
    {
        _installation.Dispose();
        await Database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Puts a file beside the YAML, for datasets to name.</summary>
    public async Task WriteAsync(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await System.IO.File.WriteAllTextAsync(path, text, Cancel);
    }

    public void Delete(string name) => System.IO.File.Delete(Path.Combine(_folder, name));

    public async Task<string> ExportAsync()
    {
        await using var db = Database.NewContext();
        return await new Exporter(db, Box).ExportAsync(Cancel);
    }

    private async Task<(IReadOnlyList<string> Changes, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings)> RunAsync(
        string yaml, ApplyOptions? options, Dictionary<string, string>? environment)
    {
        await using var db = Database.NewContext();
        var source = ApplySource.Read(
            Path.Combine(_folder, Yaml), System.Text.Encoding.UTF8.GetBytes(yaml), Box, _files, name => environment?.GetValueOrDefault(name));
        var outcome = await new Applier(db, Box, Settings, TimeProvider.System).ApplyAsync(source, options ?? new(), Cancel);
        // As if it had been run in the folder.
        string Say(FileError said) => source.Describe(said).Replace(_folder + "/", "", StringComparison.Ordinal);
        return (outcome.Changes, [.. outcome.Errors.Select(Say)], [.. outcome.Warnings.Select(Say)]);
    }
}
