using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>Whose job is next, on a database with three workspaces of which one has asked for very much.</summary>
public sealed class JobFairnessTests(TestPostgres postgres)
{
    private const int Many = 10_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Workspaces_take_turns_whatever_one_of_them_has_asked_for_before()
    {
        await using var bench = await DatasetBench.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var busy = await AddAsync(bench, Many, minutesAgo: 60);
        var second = await AddAsync(bench, 2, minutesAgo: 10);
        var third = await AddAsync(bench, 1, minutesAgo: 5);

        var served = new List<Guid>();
        for (var n = 0; n < 6; n++)
        {
            var job = await bench.Jobs.ClaimAsync(Cancel);
            served.Add(job!.Scope.Workspace);
            await bench.Jobs.EndAsync(job, null, Cancel);
        }

        Assert.Equal([busy, second, third, busy, second, busy], served);
    }

    [Fact]
    public async Task Of_several_gateways_too_none_takes_a_second_job_of_a_workspace_while_another_waits()
    {
        await using var bench = await DatasetBench.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var busy = await AddAsync(bench, 20, minutesAgo: 60);
        var second = await AddAsync(bench, 20, minutesAgo: 10);

        var served = new List<Guid>();
        for (var gateway = 0; gateway < 3; gateway++)
        {
            var jobs = new JobTable(bench.Source, bench.Settings, TimeProvider.System);
            served.Add((await jobs.ClaimAsync(Cancel))!.Scope.Workspace);
            served.Add((await jobs.ClaimAsync(Cancel))!.Scope.Workspace);
        }

        Assert.Equal((3, 3), (served.Count(w => w == busy), served.Count(w => w == second)));
    }

    [Fact]
    public async Task A_job_that_somebody_holds_keeps_no_other_workspace_waiting()
    {
        await using var bench = await DatasetBench.StartAsync(await postgres.CreateDatabaseAsync(cancel: Cancel));
        var first = await AddAsync(bench, 1, minutesAgo: 60);
        var second = await AddAsync(bench, 1, minutesAgo: 10);
        await using var connection = await bench.Source.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using var hold = new Npgsql.NpgsqlCommand("SELECT 1 FROM jobs WHERE workspace_id = @ws FOR UPDATE", connection);
        hold.Parameters.AddWithValue("ws", first);
        await hold.ExecuteNonQueryAsync(Cancel);

        Assert.Equal(second, (await bench.Jobs.ClaimAsync(Cancel))!.Scope.Workspace);
        Assert.Null(await bench.Jobs.ClaimAsync(Cancel));

        await transaction.RollbackAsync(Cancel);
        Assert.Equal(first, (await bench.Jobs.ClaimAsync(Cancel))!.Scope.Workspace);
    }

    /// <summary>A workspace with as many datasets, up to twenty, and jobs.</summary>
    private static async Task<Guid> AddAsync(DatasetBench bench, int jobs, int minutesAgo)
    {
        var workspace = Guid.CreateVersion7();
        var at = DateTime.UtcNow.AddMinutes(-minutesAgo);
        await using var db = bench.NewContext();
        db.Workspaces.Add(new WorkspaceRow { Id = workspace, Name = $"w-{workspace:N}", CreatedAt = at });
        var datasets = Enumerable.Range(0, Math.Min(jobs, 20)).Select(n => Guid.CreateVersion7()).ToList();
        db.Datasets.AddRange(datasets.Select(id => new DatasetRow
        {
            WorkspaceId = workspace,
            Id = id,
            Name = $"set-{id:N}",
            Description = "",
            Language = "english",
            CreatedAt = at,
        }));
        db.Jobs.AddRange(Enumerable.Range(0, jobs).Select(n => new JobRow
        {
            WorkspaceId = workspace,
            Id = Guid.CreateVersion7(),
            DatasetId = datasets[n % datasets.Count],
            FileId = Guid.CreateVersion7(),
            CreatedAt = at,
            DueAt = at,
        }));
        await db.SaveChangesAsync(Cancel);
        return workspace;
    }
}
