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
        var rpm = new Option<string>("--rpm") { Description = "Most requests in a minute." };
        var tpm = new Option<string>("--tpm") { Description = "Most tokens in a minute, in and out." };
        var concurrent = new Option<string>("--concurrent") { Description = "Most requests at a time, for each gateway." };
        var budget = new Option<string>("--budget") { Description = "Most money or tokens, such as 5usd/day or 2000000tokens/month." };
        var command = new Command("create", "Makes a key and prints it, this once.")
        {
            workspace, name, scopes, selectors, rpm, tpm, concurrent, budget, expires,
        };
        command.SetAction((parsed, cancel) =>
        {
            var wanted = new NewKey(
                parsed.GetValue(workspace)!, parsed.GetValue(name)!, parsed.GetValue(scopes) ?? [],
                parsed.GetValue(selectors) ?? [], ReadDate(parsed.GetValue(expires)),
                new LimitValues(
                    ReadCount(rpm.Name, parsed.GetValue(rpm)), ReadCount(tpm.Name, parsed.GetValue(tpm)),
                    ReadCount(concurrent.Name, parsed.GetValue(concurrent)), ReadBudget(parsed.GetValue(budget))));
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
        var (row, key, wrong) = await new KeyStore(db, TimeProvider.System).CreateAsync(wanted, Actor.CommandLine, cancel);
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
        var keys = await new KeyStore(db, TimeProvider.System).ListAsync(workspace, cancel);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var lines = keys.Select(k => (string[])
        [
            k.Key.Id.ToString(), k.Workspace, k.Key.Name, $"…{k.Key.Ending}", string.Join(',', k.Key.Scopes),
            k.Key.Selectors.Length == 0 ? "*" : string.Join(',', k.Key.Selectors),
            Limits(LimitValues.From(k.Key.Limits)), Day(k.Key.CreatedAt),
            k.Key.ExpiresAt is { } end ? Day(end) : "never",
            k.Key.RevokedAt is not null ? "revoked" : k.Key.ExpiresAt <= now ? "expired" : "active",
        ]);
        foreach (var line in TextTable.Format(["ID", "WORKSPACE", "NAME", "KEY", "SCOPES", "SELECTORS", "LIMITS", "CREATED", "EXPIRES", "STATE"], [.. lines]))
        {
            await Console.Out.WriteLineAsync(line);
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(Guid id, GatewayDatabase database, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        if (await new KeyStore(db, TimeProvider.System).RevokeAsync(null, id, Actor.CommandLine, isWanted: null, cancel) is not null)
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

    private static int? ReadCount(string option, string? text) => text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= GatewayFileShape.MaxCount
            ? count
            : throw new SettingsException($"{option} {text}: expected a whole number from 1 to {GatewayFileShape.MaxCount}.");

    private static Budget? ReadBudget(string? text) => text is null ? null
        : FileBudget.Parse(text) ?? throw new SettingsException($"--budget {text}: expected {FileBudget.Expected}.");

    private static string Limits(LimitValues? limits)
    {
        var said = new List<string>();
        if (limits?.Rpm is { } rpm)
        {
            said.Add($"rpm={rpm}");
        }

        if (limits?.Tpm is { } tpm)
        {
            said.Add($"tpm={tpm}");
        }

        if (limits?.Concurrent is { } concurrent)
        {
            said.Add($"concurrent={concurrent}");
        }

        if (limits?.Budget is { } budget)
        {
            said.Add(FileBudget.Format(budget));
        }

        return said.Count == 0 ? "none" : string.Join(',', said);
    }

    private static string Day(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
