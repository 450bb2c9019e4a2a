using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>What becomes of jobs that do not come to their end.</summary>
public sealed class IngestServiceTests(DatasetBenchFixture fixture) : IClassFixture<DatasetBenchFixture>
{
    private DatasetBench Bench => fixture.Bench;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gateway_that_stops_while_a_provider_is_away_leaves_its_job_to_the_next()
    {
        // Arrange: a try that breaks, and then none that is answered.
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(Answer.HangUp, (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted));
        await Bench.AddModelAsync("away", 2, baseUrl: upstream.BaseUrl);
        var dataset = await Bench.AddDatasetAsync("away");
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        using var service = Service();
        await service.StartAsync(Cancel);
        await upstream.NextRequestAsync(Cancel);
        await upstream.NextRequestAsync(Cancel);

        // Act
        await service.StopAsync(Cancel);

        // Assert
        var job = await JobAsync(dataset);
        Assert.Equal((JobState.Queued, 0, null, null), (job.State, job.Tries, job.Reason, job.Instance));
        // What there is to do was known before any of it was done.
        Assert.Equal((1, 0), (job.Total, job.Done));
        await RemoveAsync(dataset);
    }

    [Fact]
    public async Task Trouble_after_a_long_time_in_the_queue_is_waited_for()
    {
        await Bench.AddModelAsync("waiting", DatasetBench.Dimensions, "waiting!status=429!retry-after=60");
        var dataset = await Bench.AddDatasetAsync("waiting");
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        await SetAsync(dataset, job => job.CreatedAt = DateTime.UtcNow.AddDays(-3));
        using var service = Service();
        await service.StartAsync(Cancel);

        var job = await WaitAsync(dataset, j => j.Reason is not null);

        await service.StopAsync(Cancel);
        Assert.Equal((JobState.Queued, 0), (job.State, job.Tries));
        Assert.Contains("429", job.Reason, StringComparison.Ordinal);
        Assert.InRange(job.DueAt, DateTime.UtcNow.AddSeconds(20), DateTime.UtcNow.AddSeconds(60));
        await RemoveAsync(dataset);
    }

    [Theory]
    [InlineData("One.", 5)]
    [InlineData("Two.", 1)]
    public async Task Tries_are_counted_anew_where_a_job_gets_further_and_only_there(string text, int tries)
    {
        var dataset = await Bench.AddDatasetAsync(model: null);
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        await Bench.RunJobsAsync();
        await Bench.PutFileAsync(dataset, "a.txt", text);
        await SetAsync(dataset, job => job.Tries = 4);

        var lease = await Bench.Jobs.ClaimAsync(Cancel);
        await Bench.Run.RunAsync(lease!, Cancel);

        Assert.Equal((5, tries), (lease!.Tries, (await JobAsync(dataset)).Tries));
        await Bench.Jobs.EndAsync(lease, null, Cancel);
    }

    [Fact]
    public async Task A_job_that_was_begun_often_and_never_got_further_fails()
    {
        var dataset = await Bench.AddDatasetAsync(model: null);
        await Bench.PutFileAsync(dataset, "a.txt", "One.");
        await SetAsync(dataset, job => job.Tries = 5);
        using var service = Service();
        await service.StartAsync(Cancel);

        var job = await WaitAsync(dataset, j => j.EndedAt is not null);

        await service.StopAsync(Cancel);
        Assert.Equal(JobState.Failed, job.State);
        Assert.Empty(await Bench.ChunksAsync(dataset));
    }

    private IngestService Service() =>
        new(Bench.Jobs, Bench.Run, new JobSignal(), new DatabaseNews(TimeProvider.System), Bench.Settings, TimeProvider.System, NullLogger<IngestService>.Instance);

    /// <summary>The newest of the dataset.</summary>
    private async Task<JobRow> JobAsync(Gateway.Bots.Dataset dataset)
    {
        await using var db = Bench.NewContext();
        return await db.Jobs.Where(j => j.WorkspaceId == Bench.Workspace && j.DatasetId == dataset.Id).OrderBy(j => j.Id).LastAsync(Cancel);
    }

    private async Task SetAsync(Gateway.Bots.Dataset dataset, Action<JobRow> change)
    {
        await using var db = Bench.NewContext();
        var job = await db.Jobs.SingleAsync(j => j.WorkspaceId == Bench.Workspace && j.DatasetId == dataset.Id && j.State == JobState.Queued, Cancel);
        change(job);
        await db.SaveChangesAsync(Cancel);
    }

    /// <summary>With its jobs, which other tests would meet.</summary>
    private async Task RemoveAsync(Gateway.Bots.Dataset dataset)
    {
        await using var db = Bench.NewContext();
        await db.Datasets.Where(d => d.WorkspaceId == Bench.Workspace && d.Id == dataset.Id).ExecuteDeleteAsync(Cancel);
    }

    private async Task<JobRow> WaitAsync(Gateway.Bots.Dataset dataset, Func<JobRow, bool> isThere)
    {
        for (var looks = 0; looks < 600; looks++)
        {
            if (await JobAsync(dataset) is var job && isThere(job))
            {
                return job;
            }

            await Task.Delay(50, Cancel);
        }

        throw new TimeoutException("The job did not come as far.");
    }
}
