using System.Text.Json;
using Gateway.Bots;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>What is in a dataset: records, files, the search over them, and the jobs that make it.</summary>
internal static class DatasetContentEndpoints
{
    private static readonly string[] Known = ["query", "filter", "max_records"];

    public static IEndpointRouteBuilder MapDatasetContents(this IEndpointRouteBuilder admin)
    {
        var dataset = admin.MapGroup("/datasets/{dataset}");
        dataset.MapDatasetRecords();
        dataset.MapDatasetFiles();
        dataset.MapPost("/search", SearchAsync)
            .WithMetadata(new RouteDoc("Searches a dataset as a bot does.") { IsOwned = true, Takes = "application/json" });
        dataset.MapGet("/jobs", ListJobsAsync)
            .WithMetadata(new RouteDoc("Lists what was and is done to a dataset in the background.") { IsOwned = true, Query = ["limit", "after"] });
        dataset.MapPost("/jobs", QueueJobAsync).WithMetadata(new RouteDoc("Makes the chunks and vectors of a dataset anew.") { IsOwned = true });
        dataset.MapGet("/jobs/{id}", GetJobAsync).WithMetadata(new RouteDoc("Shows how far a job is.") { IsOwned = true });
        return admin;
    }

    private static async Task<IResult> SearchAsync(
        HttpContext http, string dataset, GatewayDb db, DatasetSearch search, BodyLimits limits, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var (json, refused) = await DatasetRequest.ReadAsync(http, limits, Known, cancel);
        if (json is null)
        {
            return refused!.ToResult();
        }

        using (json)
        {
            var wrong = Read(json.RootElement, out var query, out var filter, out var most);
            if (wrong is not null)
            {
                return wrong.ToResult();
            }

            var result = await search.FindAsync(
                BotReader.Read(found.Dataset), new SearchQuestion(query!, filter, most, found.Workspace, RequestFacts.Of(http).Caller!.KeyId), cancel);
            return Results.Json(
                new DatasetList<HitObject>([.. result.Hits.Select(HitObject.Of)], false, result.Note), DatasetJson.Default.DatasetListHitObject);
        }
    }

    private static ApiError? Read(JsonElement json, out string? query, out MetadataFilter? filter, out int? most)
    {
        ApiError? error = null;
        (filter, most) = (null, null);
        query = DatasetRequest.Text(json, "query", ref error);
        error ??= query is null ? ApiError.MissingParameter("query")
            : query.Length is 0 or > SearchQuestion.LongestQuestion ? ApiError.InvalidValue("query", $"expected 1 to {SearchQuestion.LongestQuestion} characters.")
            : null;
        if (json.TryGetProperty("max_records", out var count) && count.ValueKind != JsonValueKind.Null)
        {
            if (count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out var records) && records is >= 1 and <= DatasetSearch.MostRecords)
            {
                most = records;
            }
            else
            {
                error ??= ApiError.InvalidValue("max_records", $"expected a whole number from 1 to {DatasetSearch.MostRecords}.");
            }
        }

        if (json.TryGetProperty("filter", out var conditions))
        {
            filter = MetadataFilter.Read(conditions, out var wrong);
            error ??= wrong is null ? null : ApiError.InvalidValue("filter", wrong);
        }

        return error;
    }

    private static async Task<IResult> ListJobsAsync(HttpContext http, string dataset, GatewayDb db, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        if (!DatasetRequest.TryReadPage(http, out var limit, out var after, out var wrong))
        {
            return wrong!.ToResult();
        }

        // Newest first: what one looks for is what has just been asked for.
        var jobs = await db.Jobs.AsNoTracking()
            .Where(j => j.WorkspaceId == found.Dataset.WorkspaceId && j.DatasetId == found.Dataset.Id && (after == Guid.Empty || j.Id < after))
            .OrderByDescending(j => j.Id).Take(limit + 1).ToListAsync(cancel);
        return Results.Json(
            new DatasetList<JobObject>([.. jobs.Take(limit).Select(JobObject.Of)], jobs.Count > limit), DatasetJson.Default.DatasetListJobObject);
    }

    /// <summary>Cuts and embeds all records again, where that gives anything else than what is there.</summary>
    private static async Task<IResult> QueueJobAsync(HttpContext http, string dataset, GatewayDb db, TimeProvider clock, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var job = await IngestJobs.QueueAsync(db, found.Dataset.WorkspaceId, found.Dataset.Id, null, clock, cancel);
        await db.SaveChangesAsync(cancel);
        return Results.Json(JobObject.Of(job), DatasetJson.Default.JobObject);
    }

    private static async Task<IResult> GetJobAsync(HttpContext http, string dataset, string id, GatewayDb db, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var job = !Guid.TryParse(id, out var guid) ? null : await db.Jobs.AsNoTracking().FirstOrDefaultAsync(
            j => j.WorkspaceId == found.Dataset.WorkspaceId && j.DatasetId == found.Dataset.Id && j.Id == guid, cancel);
        return job is null ? ApiError.NotFound("job").ToResult() : Results.Json(JobObject.Of(job), DatasetJson.Default.JobObject);
    }
}
