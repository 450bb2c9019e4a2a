using System.Security.Cryptography;
using Gateway.Bots.Datasets;
using Gateway.Bots.Datasets.Parsing;
using Gateway.Data;
using Gateway.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Gateway.Admin;

/// <summary><c>/admin/v1/datasets/{dataset}/files</c>. A file is kept as it came; a job makes records of it.</summary>
internal static class DatasetFileEndpoints
{
    private const int LongestName = 400;
    private const int LongestBoundary = 200;

    public static void MapDatasetFiles(this IEndpointRouteBuilder dataset)
    {
        dataset.MapPost("/files", UploadAsync)
            .WithMetadata(new RouteDoc("Takes a file, of which a job makes records.") { IsOwned = true, Takes = "multipart/form-data" });
        dataset.MapGet("/files", ListAsync)
            .WithMetadata(new RouteDoc("Lists the files of a dataset.") { IsOwned = true, Query = ["limit", "after"] });
        dataset.MapGet("/files/{id}", GetAsync).WithMetadata(new RouteDoc("Shows a file.") { IsOwned = true });
        dataset.MapDelete("/files/{id}", DeleteAsync).WithMetadata(new RouteDoc("Deletes a file and its records.") { IsOwned = true });
    }

    /// <summary>A file of the same name is replaced: its records are compared and only what differs is made anew.</summary>
    private static async Task<IResult> UploadAsync(
        HttpContext http, string dataset, GatewayDb db, TimeProvider clock, BodyLimits limits, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var (name, content, refused) = await ReadAsync(http, limits, cancel);
        if (refused is not null)
        {
            return refused.ToResult();
        }

        var (workspace, id) = (found.Dataset.WorkspaceId, found.Dataset.Id);
        var row = await db.DatasetFiles.FirstOrDefaultAsync(f => f.WorkspaceId == workspace && f.DatasetId == id && f.Name == name, cancel);
        if (row is { Managed: ManagedBy.File })
        {
            return ApiError.ManagedByFile("file").ToResult();
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
        // A job that waits is locked until the file's new content is there to read.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
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

        return Results.Json(Show(row, row.Content.Length, job.Id.ToString()), DatasetJson.Default.DatasetFileObject);
    }

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
        return file is null ? refused!.ToResult() : Results.Json(Show(file.Row, file.Bytes, null), DatasetJson.Default.DatasetFileObject);
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

        // The job takes the records away: there may be very many.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.DatasetFiles.Where(f => f.WorkspaceId == row.WorkspaceId && f.DatasetId == row.DatasetId && f.Id == row.Id).ExecuteDeleteAsync(cancel);
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

    /// <summary>The one file of a form, in a part named <c>file</c>.</summary>
    private static async Task<(string? Name, byte[]? Content, ApiError? Refused)> ReadAsync(HttpContext http, BodyLimits limits, CancellationToken cancel)
    {
        var request = http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return (null, null, ApiError.UnsupportedMediaType(request.ContentType, "multipart/form-data"));
        }

        if (request.ContentLength > limits.MaxUploadBytes)
        {
            return (null, null, RequestBody.TooLarge(http, limits.MaxUploadBytes));
        }

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (boundary is not { Length: > 0 and <= LongestBoundary })
        {
            return (null, null, ApiError.InvalidForm("the Content-Type names no boundary, or one that is too long."));
        }

        try
        {
            return await ReadPartAsync(http, new MultipartReader(boundary, request.Body), limits.MaxUploadBytes, cancel);
        }
        catch (Exception broken) when (broken is InvalidDataException || (broken is IOException && broken is not BadHttpRequestException && !cancel.IsCancellationRequested))
        {
            return (null, null, ApiError.InvalidForm("its parts cannot be told apart, or it ends too early."));
        }
    }

    private static async Task<(string? Name, byte[]? Content, ApiError? Refused)> ReadPartAsync(
        HttpContext http, MultipartReader form, long most, CancellationToken cancel)
    {
        while (await form.ReadNextSectionAsync(cancel) is { } part)
        {
            if (part.GetContentDispositionHeader() is not { } disposition || HeaderUtilities.RemoveQuotes(disposition.Name).Value != "file" || !disposition.IsFileDisposition())
            {
                continue;
            }

            var name = (disposition.FileNameStar.Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value ?? "").Trim();
            if (name.Length is 0 or > LongestName || name.Any(c => char.IsControl(c) || char.IsSurrogate(c)) || !FileParser.IsKnown(name))
            {
                return (null, null, ApiError.InvalidValue(
                    "file", $"expected a file name of at most {LongestName} characters that ends in one of: {string.Join(", ", FileParser.Formats.Select(f => "." + f))}."));
            }

            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await part.Body.ReadAsync(buffer, cancel) is var read && read > 0)
            {
                if (content.Length + read > most)
                {
                    return (null, null, RequestBody.TooLarge(http, most));
                }

                content.Write(buffer, 0, read);
            }

            return content.Length == 0 ? (null, null, ApiError.InvalidValue("file", "it is empty.")) : (name, content.ToArray(), null);
        }

        return (null, null, ApiError.MissingParameter("file"));
    }

    private sealed class Sized
    {
        public required DatasetFileRow Row { get; init; }

        public required int Bytes { get; init; }
    }
}
