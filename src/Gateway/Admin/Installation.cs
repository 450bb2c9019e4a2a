using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>What a start finds or makes once for the whole installation: its keys and its first workspace.</summary>
/// <param name="FirstKey">The first chat key, to be shown this once; null on every later start.</param>
internal sealed record Installation(SecretBox Box, KeyHash AdminKeyHash, string? FirstKey) : IDisposable
{
    /// <exception cref="SettingsException">The operator's keys do not fit the database.</exception>
    public static async Task<Installation> OpenAsync(
        GatewaySettings settings, GatewayDatabase database, TimeProvider clock, CancellationToken cancel)
    {
        await using var db = database.NewContext();
        var box = await LocalKeys.OpenBoxAsync(settings, db, cancel);
        var admin = await LocalKeys.AdminKeyHashAsync(
            settings, db, KeyText.New, key => KeyHash.Of(key).ToArray(), cancel);
        return new Installation(box, KeyHash.From(admin), await FirstStart.RunAsync(db, clock, cancel));
    }

    public void Dispose() => Box.Dispose();
}
