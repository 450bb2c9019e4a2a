using Gateway.Data;
using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots;

/// <summary>Deletes hidden steps that nobody came back for.</summary>
internal sealed class HiddenStepCleanup(NpgsqlDataSource database, TimeProvider clock, ILogger<HiddenStepCleanup> log)
    : TableCleanup(database, clock, TimeSpan.FromMinutes(10))
{
    protected override Task CleanAsync(NpgsqlConnection connection, CancellationToken cancel) =>
        DeleteAsync(connection, "hidden_steps", "expires_at < now()", cancel);

    protected override void TellFailed(string error) => log.HiddenStepCleanupFailed(error);
}
