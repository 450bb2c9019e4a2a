using System.CommandLine;
using System.Globalization;
using Gateway.Admin;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Cli;

internal static class KeysCommand
{
    public static Command Make() => new("keys", "Makes, lists and revokes keys.") { Create(), List(), Revoke() };

    private static Command Create()
    {
        var workspace = new Option<string>("--workspace") { Description = "The workspace that owns it.", Required = true };
        var name = new Option<string>("--name") { Description = "What people call it.", Required = true };
        var scopes = new Option<string[]>("--scope") { Description = "What it may do: chat (the default), admin. May be given twice." };
        var selectors = new Option<string[]>("--selector")
        {
            Description = "What it may use: a selector, or the beginning of one and '*'. May be given again. Default: all of its workspace.",
        };
        var expires = new Option<string>("--expires") { Description = "Until when, such as 2030-01-31 or 2030-01-31T12:00:00Z. Default: for ever." };
        var command = new Command("create", "Makes a key and prints it, this once.") { workspace, name, scopes, selectors, expires };
        foreach (var later in (string[])["--rpm", "--tpm", "--concurrent", "--budget"])
        {
            command.Options.Add(NotYet(later));
        }

        command.SetAction((parsed, cancel) =>
        {
            var wanted = new NewKey(
                parsed.GetValue(workspace)!, parsed.GetValue(name)!, parsed.GetValue(scopes) ?? [],
                parsed.GetValue(selectors) ?? [], ReadDate(parsed.GetValue(expires)));
            return CommandSettings.WithDatabaseAsync(mayMigrate: false, (_, database) => CreateAsync(wanted, database, cancel), cancel);
        });
        return command;
    }

    private static Command List()
    {
        var workspace = new Option<string>("--workspace") { Description = "Only this workspace's." };
        var command = new Command("list", "Lists keys, without the keys themselves.") { workspace };
        command.SetAction((parsed, cancel) => CommandSettings.WithDatabaseAsync(
            mayMigrate: false, (_, database) => ListAsync(parsed.GetValue(workspace), database, cancel), cancel));
        return command;
    }

    private static Command Revoke()
    {
        var id = new Argument<Guid>("ID") { Description = "The key's id, as 'gateway keys list' shows it." };
        var command = new Command("revoke", "Revokes a key for good.") { id };
        command.SetAction((parsed, cancel) => CommandSettings.WithDatabaseAsync(
            mayMigrate: false, (_, database) => RevokeAsync(parsed.GetValue(id), database, cancel), cancel));
        return command;
    }

    private static async Task<int> CreateAsync(NewKey wanted, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        var (row, key, wrong) = await new KeyStore(db, TimeProvider.System).CreateAsync(wanted, cancel);
        if (wrong is not null)
        {
            throw new SettingsException(wrong.Message);
        }

        await Console.Error.WriteLineAsync($"key {row!.Id} of workspace '{wanted.Workspace}', shown only now:");
        await Console.Out.WriteLineAsync(key);
        return 0;
    }

    private static async Task<int> ListAsync(string? workspace, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        var keys = await new KeyStore(db, TimeProvider.System).ListAsync(null, cancel);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var lines = keys.Where(k => workspace is null || k.Workspace == workspace).Select(k => (string[])
        [
            k.Key.Id.ToString(), k.Workspace, k.Key.Name, $"…{k.Key.Ending}", string.Join(',', k.Key.Scopes),
            k.Key.Selectors.Length == 0 ? "*" : string.Join(',', k.Key.Selectors), Day(k.Key.CreatedAt),
            k.Key.ExpiresAt is { } end ? Day(end) : "never",
            k.Key.RevokedAt is not null ? "revoked" : k.Key.ExpiresAt <= now ? "expired" : "active",
        ]);
        foreach (var line in TextTable.Format(["ID", "WORKSPACE", "NAME", "KEY", "SCOPES", "SELECTORS", "CREATED", "EXPIRES", "STATE"], [.. lines]))
        {
            await Console.Out.WriteLineAsync(line);
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(Guid id, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        if (!await new KeyStore(db, TimeProvider.System).RevokeAsync(null, id, cancel))
        {
            throw new SettingsException($"There is no key {id}. 'gateway keys list' shows the ids.");
        }

        await Console.Out.WriteLineAsync($"revoked {id}");
        return 0;
    }

    private static DateTimeOffset? ReadDate(string? text) => text is null ? null
        : DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date)
            ? date
            : throw new SettingsException($"--expires {text}: expected a date such as 2030-01-31 or 2030-01-31T12:00:00Z.");

    /// <summary>Known and refused by name, never ignored.</summary>
    private static Option<string> NotYet(string name)
    {
        var option = new Option<string>(name) { Hidden = true, Arity = ArgumentArity.ZeroOrOne };
        option.Validators.Add(result => result.AddError(NotBuilt.Message(name)));
        return option;
    }

    private static string Day(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
