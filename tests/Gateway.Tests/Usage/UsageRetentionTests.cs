using Gateway.Tests.Support;

namespace Gateway.Tests.Usage;

/// <summary>What becomes of rows that are too old.</summary>
public sealed class UsageRetentionTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_older_than_the_operator_keeps_are_deleted_in_every_workspace()
    {
        // The rows are there before the gateway is: it looks once soon after its start, and again an hour later.
        await using var gateway = await UsageGateway.StartAsync(
            postgres, Cancel, new() { ["Gateway__UsageRetention"] = "30.00:00:00" },
            async before =>
            {
                await using var seed = await Seed.OpenAsync(before.ConnectionString, Cancel);
                string[] workspaces = ["one", "another"];
                Array.ForEach(workspaces, name => seed.AddWorkspace(name));
                await seed.SaveAsync(Cancel);
                foreach (var workspace in workspaces)
                {
                    var now = DateTimeOffset.UtcNow;
                    await before.AddRowAsync(workspace, Guid.NewGuid().ToString(), $"{now.AddDays(-31):O}", "old", null, "0", false, Cancel);
                    await before.AddRowAsync(workspace, Guid.NewGuid().ToString(), $"{now.AddDays(-29):O}", "young", null, "0", false, Cancel);
                }
            });

        await gateway.UntilAsync(() => gateway.Process.Output.Contains("Deleted 2 usage rows", StringComparison.Ordinal), Cancel);

        Assert.Equal(["young", "young"], (await gateway.RowsAsync(Cancel)).Select(r => r.EndReason));
    }
}
