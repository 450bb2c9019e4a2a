using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Bots.Datasets;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>A record as the API shows it; times are seconds since 1970.</summary>
internal sealed record RecordObject(
    string Id, string Dataset, string? FileId, string Text, string Source, string? Url, JsonElement Metadata, long CreatedAt, long UpdatedAt)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "dataset.record";

    public static RecordObject Of(RecordRow row)
    {
        using var metadata = JsonDocument.Parse(row.Metadata);
        return new RecordObject(
            row.Id.ToString(), row.DatasetId.ToString(), row.FileId?.ToString(), row.Text, row.Source, row.Url, metadata.RootElement.Clone(),
            DatasetObjects.Seconds(row.CreatedAt)!.Value, DatasetObjects.Seconds(row.UpdatedAt)!.Value);
    }
}

/// <param name="Managed"><c>file</c> or <c>api</c>.</param>
/// <param name="Job">The job that reads it, in the answer to an upload.</param>
internal sealed record DatasetFileObject(string Id, string Dataset, string Name, long Bytes, string Managed, long CreatedAt, string? Job)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "dataset.file";
}

/// <param name="Status"><c>queued</c>, <c>running</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="Reason">Why it failed, or what keeps a queued one waiting.</param>
/// <param name="Total">Chunks to embed, as far as is known.</param>
internal sealed record JobObject(
    string Id, string Dataset, string? FileId, string Status, string? Reason, int Total, int Done, long CreatedAt, long? StartedAt, long? EndedAt)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "dataset.job";

    public static JobObject Of(JobRow row) => new(
        row.Id.ToString(), row.DatasetId.ToString(), row.FileId is { } file && file != IngestJobs.VectorsAlone ? file.ToString() : null,
        row.State.ToString().ToLowerInvariant(), row.Reason, row.Total, row.Done, DatasetObjects.Seconds(row.CreatedAt)!.Value,
        DatasetObjects.Seconds(row.StartedAt), DatasetObjects.Seconds(row.EndedAt));
}

/// <param name="Score">0 to 1.</param>
internal sealed record HitObject(string RecordId, string? FileId, double Score, string Source, string? Url, JsonElement Metadata, string Text)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "dataset.search_result";

    public static HitObject Of(SearchHit hit)
    {
        using var metadata = JsonDocument.Parse(hit.Metadata);
        return new HitObject(
            hit.Record.ToString(), hit.File?.ToString(), Math.Round(hit.Score, 4), hit.Title, hit.Url, metadata.RootElement.Clone(), hit.Text);
    }
}

/// <param name="HasMore">Whether <c>after</c> with the last id gives more.</param>
/// <param name="Note">What a search had to leave out.</param>
internal sealed record DatasetList<T>(IReadOnlyList<T> Data, bool HasMore, string? Note = null)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "list";
}

internal sealed record DatasetPartDeleted(string Id, string Object, bool Deleted = true);

internal static class DatasetObjects
{
    public static long? Seconds(DateTime? time) =>
        time is { } utc ? new DateTimeOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc)).ToUnixTimeSeconds() : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RecordObject))]
[JsonSerializable(typeof(DatasetList<RecordObject>))]
[JsonSerializable(typeof(DatasetFileObject))]
[JsonSerializable(typeof(DatasetList<DatasetFileObject>))]
[JsonSerializable(typeof(JobObject))]
[JsonSerializable(typeof(DatasetList<JobObject>))]
[JsonSerializable(typeof(DatasetList<HitObject>))]
[JsonSerializable(typeof(DatasetPartDeleted))]
internal sealed partial class DatasetJson : JsonSerializerContext;
