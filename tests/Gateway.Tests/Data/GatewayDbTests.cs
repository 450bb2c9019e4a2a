using Gateway.Data;
using Gateway.Tests.Admin;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Tests.Data;

public sealed class GatewayDbTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Versions_grow_in_the_order_of_commits()
    {
        await using var installed = await Installed.InAsync(postgres);
        await using var first = installed.Database.NewContext();
        await using var second = installed.Database.NewContext();
        await using var transaction = await first.Database.BeginTransactionAsync(Cancel);
        var slow = Workspace("slow");
        var quick = Workspace("quick");

        first.Add(slow);
        await first.SaveChangesAsync(Cancel);
        second.Add(quick);
        var saving = second.SaveChangesAsync(Cancel);
        var waits = await Task.WhenAny(saving, Task.Delay(300, Cancel)) != saving;
        await transaction.CommitAsync(Cancel);
        await saving;

        Assert.True(waits, "the second save did not wait for the first one's commit");
        Assert.Equal(slow.Version + 1, quick.Version);
    }

    [Fact]
    public async Task A_rolled_back_change_leaves_no_version_behind()
    {
        await using var installed = await Installed.InAsync(postgres);
        var before = await VersionAsync(installed);

        await using (var db = installed.Database.NewContext())
        {
            db.Add(Workspace("twice"));
            db.Add(Workspace("twice"));
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Cancel));
        }

        Assert.Equal(before, await VersionAsync(installed));
    }

    [Fact]
    public async Task A_job_is_announced_when_it_is_committed()
    {
        // Arrange
        await using var installed = await Installed.InAsync(postgres);
        var told = new List<string>();
        await using var listening = await installed.Database.Source.OpenConnectionAsync(Cancel);
        listening.Notification += (_, notification) => told.Add(notification.Channel);
        await using (var listen = new NpgsqlCommand($"LISTEN {GatewayDb.JobsChannel}", listening))
        {
            await listen.ExecuteNonQueryAsync(Cancel);
        }

        await using var db = installed.Database.NewContext();
        var workspace = Workspace("acme");
        var dataset = new DatasetRow
        {
            WorkspaceId = workspace.Id,
            Id = Guid.CreateVersion7(),
            Name = "handbook",
            Description = "",
            Language = "english",
            CreatedAt = DateTime.UtcNow,
        };
        db.AddRange(workspace, dataset);
        await db.SaveChangesAsync(Cancel);

        // Act
        db.Jobs.Add(new JobRow { WorkspaceId = workspace.Id, Id = Guid.CreateVersion7(), DatasetId = dataset.Id, DueAt = DateTime.UtcNow });
        await db.SaveChangesAsync(Cancel);

        // Assert
        Assert.True(await listening.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.Equal([GatewayDb.JobsChannel], told);
    }

    [Fact]
    public async Task A_reader_that_polls_while_many_write_misses_no_row()
    {
        await using var installed = await Installed.InAsync(postgres);
        using var done = new CancellationTokenSource();
        var seen = new HashSet<string>();
        var polling = Task.Run(
            async () =>
            {
                for (long since = 0, last = 0; last == 0 || since < last;)
                {
                    last = done.IsCancellationRequested ? await VersionAsync(installed) : 0;
                    since = await PollAsync(installed, since, seen);
                }
            },
            Cancel);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            for (var i = 0; i < 15; i++)
            {
                await using var db = installed.Database.NewContext();
                db.Add(Workspace($"w{writer}-{i}"));
                await db.SaveChangesAsync(Cancel);
            }
        }));
        await done.CancelAsync();
        await polling;

        Assert.Equal(8 * 15 + 1, seen.Count);
    }

    [Fact]
    public async Task A_deletion_leaves_a_row_that_tells_of_it_in_the_same_version()
    {
        await using var installed = await Installed.InAsync(postgres);
        await using var db = installed.Database.NewContext();
        var workspace = Workspace("gone");
        db.Add(workspace);
        await db.SaveChangesAsync(Cancel);

        db.Remove(workspace);
        await db.SaveChangesAsync(Cancel);

        var deletion = await installed.ReadAsync(d => d.Deletions.SingleAsync(Cancel));
        Assert.Equal(
            (workspace.Version + 1, "workspaces", workspace.Id, workspace.Id.ToString()),
            (deletion.Version, deletion.Kind, deletion.WorkspaceId, deletion.ObjectId));
    }

    [Fact]
    public async Task A_save_that_changes_no_configuration_takes_no_version()
    {
        await using var installed = await Installed.InAsync(postgres);
        var before = await VersionAsync(installed);

        await using var db = installed.Database.NewContext();
        db.Settings.Add(new SettingRow { Name = "a", Value = "b" });
        await db.SaveChangesAsync(Cancel);

        Assert.Equal(before, await VersionAsync(installed));
    }

    private static async Task<long> PollAsync(Installed installed, long since, HashSet<string> seen)
    {
        await using var db = installed.Database.NewContext();
        var version = await db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel);
        seen.UnionWith(await db.Workspaces.Where(w => w.Version > since).Select(w => w.Name).ToListAsync(Cancel));
        return version;
    }

    private static WorkspaceRow Workspace(string name) => new() { Id = Guid.CreateVersion7(), Name = name };

    private static Task<long> VersionAsync(Installed installed) =>
        installed.ReadAsync(db => db.ConfigVersions.Select(v => v.Version).SingleAsync(Cancel));
}
