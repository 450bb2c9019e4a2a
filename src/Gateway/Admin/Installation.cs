using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>What a start finds or makes for the whole installation: its keys, its first workspace, the operator's file.</summary>
/// <param name="AppliedHash">Of the file of <c>Gateway__Apply</c>; null when there is none.</param>
internal sealed record Installation(SecretBox Box, KeyHash AdminKeyHash, string? AppliedHash) : IDisposable
{
    /// <param name="say">Takes a line for each change that the file makes.</param>
    /// <exception cref="SettingsException">The operator's keys do not fit the database, or the file is wrong.</exception>
    public static async Task<Installation> OpenAsync(
        GatewaySettings settings, GatewayDatabase database, TimeProvider clock, Action<string> say, CancellationToken cancel)
    {
        var box = await LocalKeys.OpenBoxAsync(settings, database.Source, cancel);
        try
        {
            var admin = await LocalKeys.AdminKeyHashAsync(
                settings, database.Source, KeyText.New, key => KeyHash.Of(key).ToArray(), cancel);
            await FirstStart.MakeWorkspaceAsync(database, clock, cancel);
            var applied = settings.Apply.Length == 0
                ? null
                : await ApplyWatch.ApplyAtStartAsync(settings, database, box, clock, say, cancel);
            return new Installation(box, KeyHash.From(admin), applied);
        }
        catch
        {
            box.Dispose();
            throw;
        }
    }

    public void Dispose() => Box.Dispose();
}
