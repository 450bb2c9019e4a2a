namespace Gateway.Observability;

internal static partial class Log
{
    [LoggerMessage(640, LogLevel.Information, "Vectors of datasets are kept by the pgvector extension {Version}")]
    public static partial void VectorsWithExtension(this ILogger log, string version);

    [LoggerMessage(641, LogLevel.Information, "Vectors of datasets are compared in memory, up to {Most} chunks of a dataset: the pgvector extension is not used, {Why}")]
    public static partial void VectorsWithoutExtension(this ILogger log, string why, int most);

    [LoggerMessage(642, LogLevel.Information, "Job {Job} of dataset {Dataset}, workspace {Workspace}: done in {Seconds:0.0} s, {Records} records, {Vectors} vectors")]
    public static partial void JobDone(this ILogger log, Guid job, string dataset, string workspace, double seconds, int records, int vectors);

    [LoggerMessage(643, LogLevel.Warning, "Job {Job} of dataset {Dataset} failed: {Reason}")]
    public static partial void JobFailed(this ILogger log, Guid job, Guid dataset, string reason);

    [LoggerMessage(644, LogLevel.Warning, "Job {Job} of dataset {Dataset} waits {Seconds:0} s: {Reason}")]
    public static partial void JobWaits(this ILogger log, Guid job, Guid dataset, double seconds, string reason);

    [LoggerMessage(645, LogLevel.Warning, "Jobs cannot be looked for ({Error}); trying again")]
    public static partial void JobsUnavailable(this ILogger log, string error);

    [LoggerMessage(646, LogLevel.Warning, "Dataset {Dataset} was searched by words alone: {Why}")]
    public static partial void SearchedWithoutVectors(this ILogger log, Guid dataset, string why);

    [LoggerMessage(647, LogLevel.Warning, "Dataset {Dataset} could not be searched ({Error})")]
    public static partial void DatasetSearchFailed(this ILogger log, Guid dataset, string error);

    [LoggerMessage(648, LogLevel.Information, "The vectors of dataset {Dataset} have their index, made in {Seconds:0.0} s")]
    public static partial void VectorIndexMade(this ILogger log, Guid dataset, double seconds);

    [LoggerMessage(649, LogLevel.Warning, "The index for the vectors of dataset {Dataset} cannot be made ({Error}); searches compare all of them")]
    public static partial void VectorIndexFailed(this ILogger log, Guid dataset, string error);

    [LoggerMessage(650, LogLevel.Information, "Dropped the index {Index}, which nothing needs")]
    public static partial void VectorIndexDropped(this ILogger log, string index);

    [LoggerMessage(651, LogLevel.Warning, "Indexes of vectors cannot be looked after ({Error}); trying again")]
    public static partial void VectorIndexesUnavailable(this ILogger log, string error);
}
