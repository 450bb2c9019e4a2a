namespace Gateway.Observability;

/// <summary>
/// Every log message, ids by hundreds per room: Data 100, Http 200, Upstream 300, Chat 400, Bots 500, Passthrough 600,
/// Admin 700, Limits 800. Never a prompt, a reply, a key or an exception's text that could hold one: ids, counts, durations, types.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Warning, "Configuration could not be read ({Error}); the last good read is {AgeSeconds:0} s old")]
    public static partial void ConfigReadFailed(this ILogger log, string error, double ageSeconds);

    [LoggerMessage(101, LogLevel.Warning, "Lost the connection for change notifications ({Error}); polling goes on, trying again")]
    public static partial void ListenLost(this ILogger log, string error);

    [LoggerMessage(102, LogLevel.Information, "Database: {Progress}")]
    public static partial void DatabaseProgress(this ILogger log, string progress);

    [LoggerMessage(103, LogLevel.Warning, "Old deletions could not be trimmed ({Error}); tried again in an hour")]
    public static partial void TrimFailed(this ILogger log, string error);

    // SYSLIB1015: the time to first content is in the line of JSON alone; most requests have none, and a line of text would
    // say so every time.
#pragma warning disable SYSLIB1015
    [LoggerMessage(200, LogLevel.Information, "{Method} {Route} {Status} {RequestId} {Milliseconds:0.0} ms; {End}; workspace {Workspace}, key {KeyId}, {Selector} at {Deployment}, attempts {Attempts}, tokens {InputTokens}+{OutputTokens}")]
    public static partial void Request(
        this ILogger log, string method, string route, int status, string requestId, double milliseconds,
        string end, string workspace, Guid? keyId, string selector, string deployment, int attempts, long inputTokens, long outputTokens,
        double? firstContentMs);
#pragma warning restore SYSLIB1015

    // The stack says where; the exception's own text is left out, since it may quote what a caller sent.
    [LoggerMessage(201, LogLevel.Error, "Request {RequestId} failed: {Exception} {Stack}")]
    public static partial void Unhandled(this ILogger log, string requestId, string exception, string? stack);

    [LoggerMessage(220, LogLevel.Information, "Stopping: not ready any more, serving on for {Seconds:0.#} s")]
    public static partial void Leaving(this ILogger log, double seconds);

    [LoggerMessage(221, LogLevel.Information, "Stopping: {Running} requests running, at most {Seconds:0} s more")]
    public static partial void Draining(this ILogger log, int running, double seconds);

    [LoggerMessage(222, LogLevel.Warning, "Stopping: {Running} requests are ended")]
    public static partial void DrainCut(this ILogger log, int running);

    [LoggerMessage(223, LogLevel.Warning, "Request {RequestId} needs the database, which does not answer: {Error}")]
    public static partial void DatabaseUnavailable(this ILogger log, string requestId, string error);

    [LoggerMessage(224, LogLevel.Error, "No room on disk for an upload, in {Folder}: free some, or set Gateway__DataDirectory to another disk")]
    public static partial void DiskFull(this ILogger log, string folder);

    [LoggerMessage(225, LogLevel.Debug, "Idle: {Mebibytes} MiB given back to the system")]
    public static partial void MemoryGivenBack(this ILogger log, long mebibytes);

    [LoggerMessage(300, LogLevel.Error, "Provider {Provider}: its credential cannot be opened with this encryption key; its models are unavailable")]
    public static partial void ProviderUnreadable(this ILogger log, string provider);

    [LoggerMessage(301, LogLevel.Warning, "Provider {Provider} did not give its list of models: {Error}; /v1/models shows the last one it gave")]
    public static partial void ModelListFailed(this ILogger log, string provider, string error);

    [LoggerMessage(600, LogLevel.Error, "Secret {Secret} cannot be opened with this encryption key; abilities that name it fail")]
    public static partial void SecretUnreadable(this ILogger log, string secret);

    [LoggerMessage(700, LogLevel.Information, "Applied {File}: {Change}")]
    public static partial void Applied(this ILogger log, string file, string change);

    [LoggerMessage(701, LogLevel.Error, "Not applied, what was there serves on: {Error}")]
    public static partial void ApplyRefused(this ILogger log, string error);

    [LoggerMessage(702, LogLevel.Warning, "Gateway__Apply waits and is tried again: {Problem}")]
    public static partial void ApplyPostponed(this ILogger log, string problem);

    [LoggerMessage(703, LogLevel.Warning, "Applied, but: {Warning}")]
    public static partial void ApplyWarned(this ILogger log, string warning);

    [LoggerMessage(302, LogLevel.Warning, "{Deployment} could not be asked: {Error} ({Code})")]
    public static partial void UpstreamUnreachable(this ILogger log, string deployment, string error, string? code);

    [LoggerMessage(304, LogLevel.Information, "A broken stream of {Model} is carried on ({Mode}) by {Deployment}")]
    public static partial void Rescued(this ILogger log, string model, string mode, string deployment);

    [LoggerMessage(305, LogLevel.Warning, "A broken stream of {Model} could not be carried on ({Code})")]
    public static partial void RescueFailed(this ILogger log, string model, string? code);

    [LoggerMessage(306, LogLevel.Warning, "{Deployment} broke off a stream after content was sent: {Outcome}; request {RequestId}")]
    public static partial void StreamBroken(this ILogger log, string deployment, string outcome, string requestId);

    // The status alone: a provider's own words may quote the key that it refuses.
    [LoggerMessage(303, LogLevel.Warning, "{Deployment} failed with {Outcome}: {Hint}; request {RequestId}")]
    public static partial void AttemptFailed(this ILogger log, string deployment, string outcome, string hint, string requestId);

    [LoggerMessage(500, LogLevel.Error, "The usage journal cannot be written ({Error}); requests are served on. Not on disk so far: {Starts} starts, {Ends} ends; lost: {Lost} rows. Trying again")]
    public static partial void JournalUnwritable(this ILogger log, string error, long starts, long ends, long lost);

    [LoggerMessage(501, LogLevel.Warning, "The usage journal is written again. Not on disk: {Starts} starts, {Ends} ends; lost: {Lost} rows")]
    public static partial void JournalRestored(this ILogger log, long starts, long ends, long lost);

    [LoggerMessage(502, LogLevel.Warning, "Usage could not be shipped ({Error}); {Rows} rows wait in the journal, trying again")]
    public static partial void UsageNotShipped(this ILogger log, string error, long rows);

    [LoggerMessage(503, LogLevel.Information, "Usage is shipped again")]
    public static partial void UsageShippedAgain(this ILogger log);

    [LoggerMessage(504, LogLevel.Error, "The usage row {Id} is lost: the database does not take it ({Error})")]
    public static partial void UsageRowLost(this ILogger log, Guid id, string error);

    [LoggerMessage(505, LogLevel.Information, "Shipped the usage journal {Journal} of a gateway that ended: {Rows} rows, {Lost} of requests that never came to an end")]
    public static partial void JournalAdopted(this ILogger log, string journal, long rows, long lost);

    [LoggerMessage(506, LogLevel.Warning, "The usage journal {Journal} could not be read ({Error}); it stays where it is")]
    public static partial void JournalUnreadable(this ILogger log, string journal, string error);

    [LoggerMessage(507, LogLevel.Warning, "The usage journal is not shipped yet: {Rows} rows are left for the next start, {Memory} rows that only memory held are lost")]
    public static partial void JournalLeft(this ILogger log, long rows, long memory);

    [LoggerMessage(508, LogLevel.Information, "Deleted {Rows} usage rows of before {Before:yyyy-MM-dd}")]
    public static partial void UsageDeleted(this ILogger log, long rows, DateTime before);

    [LoggerMessage(509, LogLevel.Warning, "Old usage rows could not be deleted ({Error}); trying again in an hour")]
    public static partial void UsageNotDeleted(this ILogger log, string error);

    [LoggerMessage(800, LogLevel.Warning, "Limits cannot be read or written ({Error}); limited keys are refused once what is leased is used up")]
    public static partial void LimitsUnavailable(this ILogger log, string error);

    [LoggerMessage(801, LogLevel.Information, "Limits can be read and written again")]
    public static partial void LimitsBack(this ILogger log);

    [LoggerMessage(802, LogLevel.Warning, "Rows of passed limits could not be deleted ({Error}); tried again in a minute")]
    public static partial void LimitCleanupFailed(this ILogger log, string error);
}
