using System.Text.Json;
using Gateway.Admin.Api;
using Gateway.Bots.Datasets;
using Gateway.Bots.Datasets.Parsing;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gateway.Admin;

/// <summary>
/// <c>/admin/v1/datasets/{dataset}/records</c>. A record can be found by its words when the answer is there, and by its vector
/// when a job has made that.
/// </summary>
internal static class DatasetRecordEndpoints
{
    private static readonly string[] Known = ["text", "source", "url", "metadata"];

    public static void MapDatasetRecords(this IEndpointRouteBuilder dataset)
    {
        dataset.MapPost("/records", CreateAsync).WithMetadata(new RouteDoc("Adds a text.") { IsOwned = true, Takes = "application/json", TellsVersion = true });
        dataset.MapGet("/records", ListAsync)
            .WithMetadata(new RouteDoc("Lists the texts of a dataset.") { IsOwned = true, Query = ["limit", "after"] });
        dataset.MapGet("/records/{id}", GetAsync).WithMetadata(new RouteDoc("Shows a text.") { IsOwned = true, TellsVersion = true });
        dataset.MapPatch("/records/{id}", UpdateAsync).WithMetadata(
            new RouteDoc("Changes a text.") { IsOwned = true, Takes = "application/json", TellsVersion = true, TakesVersion = true });
        dataset.MapDelete("/records/{id}", DeleteAsync).WithMetadata(new RouteDoc("Deletes a text.") { IsOwned = true, TakesVersion = true });
    }

    private static async Task<IResult> CreateAsync(
        HttpContext http, string dataset, GatewayDb db, RecordWriter writer, TimeProvider clock, BodyLimits limits, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return DatasetRequest.NoDataset(http).ToResult();
        }

        var now = clock.GetUtcNow().UtcDateTime;
        var row = new RecordRow
        {
            WorkspaceId = found.Dataset.WorkspaceId,
            DatasetId = found.Dataset.Id,
            Id = Guid.CreateVersion7(clock.GetUtcNow()),
            Text = "",
            CreatedAt = now,
            UpdatedAt = now,
        };
        return await WriteAsync(http, found, row, ApplyChange.Created, db, writer, clock, limits, cancel);
    }

    private static async Task<IResult> UpdateAsync(
        HttpContext http, string dataset, string id, GatewayDb db, RecordWriter writer, TimeProvider clock, BodyLimits limits, CancellationToken cancel)
    {
        var (found, row, refused) = await FindAsync(http, dataset, id, db, isChange: true, cancel);
        if (row is null)
        {
            return refused!.ToResult();
        }

        var readAt = row.UpdatedAt;
        row.UpdatedAt = clock.GetUtcNow().UtcDateTime;
        return await WriteAsync(http, found!.Value, row, ApplyChange.Updated, db, writer, clock, limits, cancel, readAt);
    }

    private static async Task<IResult> WriteAsync(
        HttpContext http, (DatasetRow Dataset, string Workspace) found, RecordRow row, string action, GatewayDb db, RecordWriter writer,
        TimeProvider clock, BodyLimits limits, CancellationToken cancel, DateTime? readAt = null)
    {
        var (json, refused) = await DatasetRequest.ReadAsync(http, limits, Known, cancel);
        if (json is null)
        {
            return refused!.ToResult();
        }

        using (json)
        {
            if (Read(json.RootElement, row) is { } wrong)
            {
                return wrong.ToResult();
            }
        }

        var raced = await InOneAsync(http, db, async connection =>
        {
            row.UpdatedAt = await writer.WriteOneAsync(connection, DatasetSettings.Of(found.Dataset, found.Workspace), row, readAt, cancel);
            if (row.UpdatedAt == readAt)
            {
                return;
            }

            if (found.Dataset.EmbeddingModel is not null)
            {
                await IngestJobs.QueueAsync(db, row.WorkspaceId, row.DatasetId, IngestJobs.VectorsAlone, clock, cancel);
            }

            Note(http, db, clock, row, action, found.Dataset.Name);
        }, cancel);
        return raced?.ToResult() ?? Reply(http, row);
    }

    /// <summary>One transaction for a record, its job and its line in the audit log: whenever the caller leaves, all are there or none.</summary>
    /// <returns>Why nothing was changed; null: it was.</returns>
    private static async Task<ApiError?> InOneAsync(
        HttpContext http, GatewayDb db, Func<NpgsqlConnection, Task> change, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        try
        {
            await change((NpgsqlConnection)db.Database.GetDbConnection());
        }
        catch (DatasetGoneException)
        {
            return ApiError.NotFound("dataset");
        }
        catch (RecordChangedException)
        {
            return Raced(http);
        }

        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return null;
    }

    private static IResult Reply(HttpContext http, RecordRow row)
    {
        ApiVersion.Tell(http, Version(row));
        return Results.Json(RecordObject.Of(row), DatasetJson.Default.RecordObject);
    }

    /// <summary>When it was last written, to the microsecond, which is what the database keeps.</summary>
    private static long Version(RecordRow row) => (row.UpdatedAt - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static ApiError Raced(HttpContext http) =>
        ApiVersion.IsNamed(http) ? ApiError.VersionMismatch("record") : ApiError.ChangedMeanwhile("record");

    private static void Note(HttpContext http, GatewayDb db, TimeProvider clock, RecordRow row, string action, string dataset) =>
        new AuditLog(db, Actor.Of(RequestFacts.Of(http).Caller!), clock).Add(
            row.WorkspaceId, action, "dataset_record", $"{dataset}/{row.Id}", []);

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

        var file = http.Request.Query["file_id"].FirstOrDefault();
        var fileId = Guid.Empty;
        if (file is not null && !Guid.TryParse(file, out fileId))
        {
            return ApiError.InvalidValue("file_id", "expected the id of a file.").ToResult();
        }

        var rows = await db.Records.AsNoTracking()
            .Where(r => r.WorkspaceId == found.Dataset.WorkspaceId && r.DatasetId == found.Dataset.Id && r.Id > after && (file == null || r.FileId == fileId))
            .OrderBy(r => r.Id).Take(limit + 1).ToListAsync(cancel);
        return Results.Json(
            new DatasetList<RecordObject>([.. rows.Take(limit).Select(RecordObject.Of)], rows.Count > limit), DatasetJson.Default.DatasetListRecordObject);
    }

    private static async Task<IResult> GetAsync(HttpContext http, string dataset, string id, GatewayDb db, CancellationToken cancel)
    {
        var (_, row, refused) = await FindAsync(http, dataset, id, db, isChange: false, cancel);
        return row is null ? refused!.ToResult() : Reply(http, row);
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext http, string dataset, string id, GatewayDb db, TimeProvider clock, CancellationToken cancel)
    {
        var (found, row, refused) = await FindAsync(http, dataset, id, db, isChange: true, cancel);
        if (row is null)
        {
            return refused!.ToResult();
        }

        var raced = await InOneAsync(http, db, async connection =>
        {
            await RecordWriter.RemoveOneAsync(
                connection, new DatasetScope(row.WorkspaceId, row.DatasetId), row.Id, ApiVersion.IsNamed(http) ? row.UpdatedAt : null, cancel);
            Note(http, db, clock, row, ApplyChange.Deleted, found!.Value.Dataset.Name);
        }, cancel);
        return raced?.ToResult() ?? Results.Json(new DatasetPartDeleted(row.Id.ToString(), "dataset.record.deleted"), DatasetJson.Default.DatasetPartDeleted);
    }

    /// <param name="isChange">Records of a file are changed by changing the file: the next reading of it would undo anything else.</param>
    private static async Task<((DatasetRow Dataset, string Workspace)? Found, RecordRow? Row, ApiError? Refused)> FindAsync(
        HttpContext http, string dataset, string id, GatewayDb db, bool isChange, CancellationToken cancel)
    {
        if (await DatasetRequest.FindAsync(http, db, dataset, cancel) is not { } found)
        {
            return (null, null, DatasetRequest.NoDataset(http));
        }

        var row = !Guid.TryParse(id, out var record) ? null : await db.Records.AsNoTracking().FirstOrDefaultAsync(
            r => r.WorkspaceId == found.Dataset.WorkspaceId && r.DatasetId == found.Dataset.Id && r.Id == record, cancel);
        if (row is null)
        {
            return (found, null, ApiError.NotFound("record"));
        }

        var isOfFile = isChange && row.FileId is not null && await db.DatasetFiles.AnyAsync(
            f => f.WorkspaceId == row.WorkspaceId && f.DatasetId == row.DatasetId && f.Id == row.FileId && f.Managed == ManagedBy.File, cancel);
        return isOfFile ? (found, null, ApiError.ManagedByFile("record"))
            : isChange && !ApiVersion.IsWanted(http, Version(row)) ? (found, null, ApiError.VersionMismatch("record"))
            : (found, row, null);
    }

    /// <summary>What is absent stays, and null is the default.</summary>
    private static ApiError? Read(JsonElement json, RecordRow row)
    {
        ApiError? error = null;
        var text = DatasetRequest.Text(json, "text", ref error);
        var source = DatasetRequest.Text(json, "source", ref error);
        var url = DatasetRequest.Text(json, "url", ref error);
        row.Text = text is null ? row.Text : PlainText.Clean(text).Trim();
        row.Source = json.TryGetProperty("source", out _) ? PlainText.OneLine(source ?? "") : row.Source;
        row.Url = json.TryGetProperty("url", out _) ? RecordList.WebAddress(url) : row.Url;
        if (json.TryGetProperty("metadata", out var metadata))
        {
            var raw = metadata.ValueKind == JsonValueKind.Null ? "{}" : metadata.GetRawText();
            error ??= metadata.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null) || raw.Length > ParseLimits.MetadataCharacters
                || !StorableJson.Is(metadata)
                ? ApiError.InvalidValue("metadata", $"expected an object of at most {ParseLimits.MetadataCharacters} characters, {StorableJson.Otherwise}.")
                : null;
            row.Metadata = raw;
        }

        return error
            ?? (text is null && row.Text.Length == 0 ? ApiError.MissingParameter("text")
            : row.Text.Length is 0 or > ParseLimits.RecordCharacters ? ApiError.InvalidValue("text", $"expected 1 to {ParseLimits.RecordCharacters} characters.")
            : row.Source.Length > ParseLimits.SourceCharacters ? ApiError.InvalidValue("source", $"expected at most {ParseLimits.SourceCharacters} characters.")
            : url is { Length: > 0 } && row.Url is null ? ApiError.InvalidValue("url", "expected a web address such as https://example.com/page.")
            : null);
    }
}
