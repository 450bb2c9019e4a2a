using Npgsql;

namespace Gateway.Data;

/// <summary>
/// What the installation remembers of itself. Asked without EF Core, whose model is still being built when a start needs
/// these: see <see cref="GatewayDatabase"/>.
/// </summary>
internal static class SettingTable
{
    /// <returns>Null when it was never set.</returns>
    public static async Task<string?> ReadAsync(NpgsqlDataSource database, string name, CancellationToken cancel)
    {
        await using var ask = database.CreateCommand("SELECT value FROM settings WHERE name = $1");
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return (string?)await ask.ExecuteScalarAsync(cancel);
    }

    /// <summary>Sets it, unless somebody has.</summary>
    public static async Task AddAsync(NpgsqlDataSource database, string name, string value, CancellationToken cancel)
    {
        await using var add = database.CreateCommand("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        add.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        add.Parameters.Add(new NpgsqlParameter<string> { TypedValue = value });
        await add.ExecuteNonQueryAsync(cancel);
    }
}
