using System.Security.Cryptography;
using Gateway.Admin.Api;
using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Admin;

/// <summary><c>/admin/v1/datasets/{dataset}/files</c>. A file is kept as it came; a job makes records of it.</summary>
internal static class DatasetFileEndpoints
{
    public static void MapDatasetFiles(this IEndpointRouteBuilder dataset)
    {
        dataset.MapPost("/files", UploadAsync)
            .WithMetadata(new RouteDoc("Takes a file, of which a job makes records.")
            {
                IsOwned = true,
                Takes = "multipart/form-data",
                TellsVersion = true,
                TakesVersion = true,
            });
        dataset.MapGet("/files", ListAsync)
            .WithMetadata(new RouteDoc("Lists the files of a dataset.") { IsOwned = true, Query = ["limit", "after"] });
        dataset.MapGet("/files/{id}", GetAsync).WithMetadata(new RouteDoc("Shows a file.") { IsOwned = true, TellsVersion = true });
        dataset.MapDelete("/files/{id}", DeleteAsync)
            .WithMetadata(new RouteDoc("Deletes a file and its records.") { IsOwned = true, TakesVersion = true });
    }

    /// <summary>A file of the same name is replaced: its records are compared and only what differs is made anew.</summary>
    private static async Task<IResult> UploadAsync(
        HttpContext http, string dataset, GatewayDb db, TimeProvider clock, BodyLimits limits, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var (name, content, refused) = await DatasetFileForm.ReadAsync(http, limits, cancel);
        if (refused is not null)
        {
            return refused.ToResult();
        }

        var (workspace, id) = (found.Dataset.WorkspaceId, found.Dataset.Id);
        // Locked, so that it stays the version that was looked at; and a job that waits, until there is the new content to read.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var row = (await db.DatasetFiles.FromSql(
            $"SELECT * FROM dataset_files WHERE workspace_id = {workspace} AND dataset_id = {id} AND name = {name} FOR UPDATE").ToListAsync(cancel)).FirstOrDefault();
        if (row is { Managed: ManagedBy.File })
        {
            return ApiError.ManagedByFile("file").ToResult();
        }

        if (!ApiVersion.IsWanted(http, row is null ? null : Version(row)))
        {
            return ApiError.VersionMismatch("file").ToResult();
        }

        var action = row is null ? ApplyChange.Created : ApplyChange.Updated;
        if (row is null)
        {
            row = new DatasetFileRow
            {
                WorkspaceId = workspace,
                DatasetId = id,
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = name!,
                Content = [],
                Hash = [],
                Managed = ManagedBy.Api,
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.DatasetFiles.Add(row);
        }

        row.Content = content!;
        row.Hash = SHA256.HashData(content!);
        new AuditLog(db, Actor.Of(RequestFacts.Of(http).Caller!), clock).Add(workspace, action, "dataset_file", $"{found.Dataset.Name}/{name}", []);
        var job = await IngestJobs.QueueAsync(db, workspace, id, row.Id, clock, cancel);
        try
        {
            await db.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        catch (DbUpdateException raced) when (raced.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation })
        {
            return ApiError.NotFound("dataset").ToResult();
        }
        catch (DbUpdateException raced) when (
            raced is DbUpdateConcurrencyException || raced.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return ApiError.ChangedMeanwhile("file").ToResult();
        }

        return Reply(http, row, row.Content.Length, job.Id.ToString());
    }

    private static IResult Reply(HttpContext http, DatasetFileRow row, long bytes, string? job)
    {
        ApiVersion.Tell(http, Version(row));
        return Results.Json(Show(row, bytes, job), DatasetJson.Default.DatasetFileObject);
    }

    /// <summary>What it says is all that a file is: its name stays, and what replaces it has the same id.</summary>
    private static string Version(DatasetFileRow row) => Convert.ToHexStringLower(row.Hash);

    private static async Task<IResult> ListAsync(HttpContext http, string dataset, GatewayDb db, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        if (!DatasetRequest.TryReadPage(http, out var limit, out var after, out var wrong))
        {
            return wrong!.ToResult();
        }

        var files = await Without(Of(db, found.Dataset).Where(f => f.Id > after).OrderBy(f => f.Id).Take(limit + 1)).ToListAsync(cancel);
        return Results.Json(
            new DatasetList<DatasetFileObject>([.. files.Take(limit).Select(f => Show(f.Row, f.Bytes, null))], files.Count > limit),
            DatasetJson.Default.DatasetListDatasetFileObject);
    }

    private static async Task<IResult> GetAsync(HttpContext http, string dataset, string id, GatewayDb db, CancellationToken cancel)
    {
        var (file, refused) = await FindAsync(http, dataset, id, db, cancel);
        return file is null ? refused!.ToResult() : Reply(http, file.Row, file.Bytes, null);
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext http, string dataset, string id, GatewayDb db, TimeProvider clock, CancellationToken cancel)
    {
        var (file, refused) = await FindAsync(http, dataset, id, db, cancel);
        if (file is null)
        {
            return refused!.ToResult();
        }

        var row = file.Row;
        if (row.Managed == ManagedBy.File)
        {
            return ApiError.ManagedByFile("file").ToResult();
        }

        if (!ApiVersion.IsWanted(http, Version(row)))
        {
            return ApiError.VersionMismatch("file").ToResult();
        }

        // The job takes the records away: there may be very many.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var isAny = !ApiVersion.IsNamed(http);
        var deleted = await db.DatasetFiles
            .Where(f => f.WorkspaceId == row.WorkspaceId && f.DatasetId == row.DatasetId && f.Id == row.Id && (isAny || f.Hash == row.Hash))
            .ExecuteDeleteAsync(cancel);
        if (deleted == 0 && !isAny)
        {
            return ApiError.VersionMismatch("file").ToResult();
        }

        await IngestJobs.QueueAsync(db, row.WorkspaceId, row.DatasetId, row.Id, clock, cancel);
        new AuditLog(db, Actor.Of(RequestFacts.Of(http).Caller!), clock).Add(
            row.WorkspaceId, ApplyChange.Deleted, "dataset_file", $"{dataset}/{row.Name}", []);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return Results.Json(new DatasetPartDeleted(row.Id.ToString(), "dataset.file.deleted"), DatasetJson.Default.DatasetPartDeleted);
    }

    private static async Task<(Sized? File, ApiError? Refused)> FindAsync(
        HttpContext http, string dataset, string id, GatewayDb db, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return (null, DatasetRequest.NoDataset(http));
        }

        var file = !Guid.TryParse(id, out var guid) ? null : await Without(Of(db, found.Dataset).Where(f => f.Id == guid)).FirstOrDefaultAsync(cancel);
        return (file, file is null ? ApiError.NotFound("file") : null);
    }

    private static IQueryable<DatasetFileRow> Of(GatewayDb db, DatasetRow dataset) =>
        db.DatasetFiles.AsNoTracking().Where(f => f.WorkspaceId == dataset.WorkspaceId && f.DatasetId == dataset.Id);

    /// <summary>Without the content, whose length is all that is shown.</summary>
    private static IQueryable<Sized> Without(IQueryable<DatasetFileRow> files) => files.Select(f => new Sized
    {
        Row = new DatasetFileRow
        {
            WorkspaceId = f.WorkspaceId,
            DatasetId = f.DatasetId,
            Id = f.Id,
            Name = f.Name,
            Content = Array.Empty<byte>(),
            Hash = f.Hash,
            Managed = f.Managed,
            CreatedAt = f.CreatedAt,
        },
        Bytes = f.Content.Length,
    });

    private static DatasetFileObject Show(DatasetFileRow row, long bytes, string? job) => new(
        row.Id.ToString(), row.DatasetId.ToString(), row.Name, bytes, row.Managed == ManagedBy.File ? "file" : "api",
        DatasetObjects.Seconds(row.CreatedAt)!.Value, job);

    private sealed class Sized
    {
        public required DatasetFileRow Row { get; init; }

        public required int Bytes { get; init; }
    }
}
