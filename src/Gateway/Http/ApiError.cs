using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Selectors;

namespace Gateway.Http;

/// <summary>
/// A refusal that the caller can act on, in the shape that OpenAI's clients parse. All of ours are made here.
/// </summary>
/// <param name="RetryAfter">How long to wait before trying again; sent as whole seconds, rounded up.</param>
internal sealed record ApiError(
    int Status, string Type, string? Code, string Message, string? Param = null, TimeSpan? RetryAfter = null)
{
    private const string Invalid = "invalid_request_error";
    private const string Server = "server_error";

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Trying again is of no use, which clients that would are told; so are they not told when.</summary>
    public bool IsFinal { get; private init; }

    /// <summary>Its message is an upstream's, which may quote what a user wrote: for the caller alone, never for a log.</summary>
    public bool IsUpstreams { get; private init; }

    public static ApiError InvalidJson(string why) =>
        new(400, Invalid, null, $"We could not parse the JSON body of your request: {why}");

    public static ApiError EmptyBody() =>
        new(400, Invalid, null, "The request has no body. Send a JSON object with 'Content-Type: application/json'.");

    public static ApiError InvalidForm(string why) =>
        new(400, Invalid, null, $"We could not parse the multipart body of your request: {why}");

    public static ApiError DuplicateMember(string name) =>
        new(400, Invalid, "duplicate_parameter", $"'{name}' is given more than once.", name);

    public static ApiError MissingParameter(string name) =>
        new(400, Invalid, "missing_required_parameter", $"Missing required parameter: '{name}'.", name);

    public static ApiError InvalidType(string param, string expected, string got) =>
        new(400, Invalid, "invalid_type", $"Invalid type for '{param}': expected {expected}, but got {got} instead.", param);

    public static ApiError InvalidValue(string param, string why) =>
        new(400, Invalid, "invalid_value", $"Invalid value for '{param}': {why}", param);

    public static ApiError EmptyArray(string param) =>
        new(400, Invalid, "empty_array", $"Invalid '{param}': empty array. Expected at least one item.", param);

    public static ApiError UnsupportedMediaType(string? contentType, string expected) =>
        new(415, Invalid, "unsupported_media_type", $"Content-Type '{contentType}' is not accepted here; send '{expected}'.");

    public static ApiError UnsupportedEncoding(string encoding) =>
        new(415, Invalid, "unsupported_media_type", $"Content-Encoding '{encoding}' is not accepted; send the body as it is.");

    public static ApiError BodyTooLarge(long limit) =>
        new(413, Invalid, "request_too_large", $"The request body is larger than {limit} bytes.");

    /// <param name="bytes">How much it may have.</param>
    public static ApiError ValueTooLarge(string param, long bytes) =>
        new(413, Invalid, "request_too_large", string.Create(CultureInfo.InvariantCulture, $"'{param}' is too large: expected {bytes} bytes at the most."), param);

    public static ApiError BodyTooSlow() =>
        new(408, Invalid, "request_timeout", "The request body arrived too slowly.");

    public static ApiError BadRequest() =>
        new(400, Invalid, null, "The request could not be read as HTTP.");

    public static ApiError InvalidSelector(string model) =>
        new(400, Invalid, "invalid_model_selector",
            $"'{Shown(model)}' is not a selector. Use {Selector.Forms}.", "model");

    public static ApiError NotForBots(string path) =>
        new(400, Invalid, "invalid_model_selector", $"{path} takes 'model/name=<model>' only; bots answer /v1/chat/completions.", "model");

    /// <summary>The same for what does not exist and what this key may not use, so that nothing can be found out.</summary>
    public static ApiError UnknownModel(string selector) =>
        new(404, Invalid, "model_not_found",
            $"The model '{Shown(selector)}' does not exist or you do not have access to it.", "model");

    public static ApiError UnknownUrl(string method, string path) =>
        new(404, Invalid, "unknown_url", $"Unknown request URL: {method} {Shown(path)}.");

    public static ApiError MethodNotAllowed(string method, string path) =>
        new(405, Invalid, "method_not_supported",
            $"Not allowed to {method} on {Shown(path)}. (HINT: Perhaps you meant to use a different HTTP method?)");

    public static ApiError MissingKey() =>
        new(401, Invalid, null, "You didn't provide an API key. Send it as 'Authorization: Bearer <key>'.");

    public static ApiError UnknownKey(string shown) =>
        new(401, Invalid, "invalid_api_key", $"Incorrect API key provided: {shown}.");

    public static ApiError ExpiredKey(string shown) =>
        new(401, Invalid, "invalid_api_key", $"The API key {shown} has expired.");

    public static ApiError RevokedKey(string shown) =>
        new(401, Invalid, "invalid_api_key", $"The API key {shown} has been revoked.");

    public static ApiError MissingClientSecret() =>
        new(401, Invalid, null, "You didn't provide a client secret. Send the session's as 'Authorization: Bearer <client_secret>'.");

    /// <param name="why">Such as <c>has expired</c>.</param>
    public static ApiError InvalidClientSecret(string why) =>
        new(401, Invalid, "invalid_client_secret", $"The client secret {why}. Create a new session and use its secret.");

    /// <summary>A key where a session's secret is expected.</summary>
    public static ApiError KeyInsteadOfSecret() =>
        new(401, Invalid, "invalid_client_secret",
            "This is a key, and /chatkit takes the client secret of a session (POST /v1/chatkit/sessions). A server with a key uses "
            + "/chatkit/{bot}, with the header 'X-Gateway-User'; a key must never be in a page.");

    /// <param name="isNamed">Whether the request named an origin at all.</param>
    public static ApiError OriginNotAllowed(bool isNamed) =>
        new(403, Invalid, "origin_not_allowed",
            isNamed
                ? "The session does not allow this page's origin: it is not in the 'allowed_origins' that the session was made with."
                : "The session is for the pages in its 'allowed_origins', and the request has no 'Origin' header, which browsers send.");

    /// <param name="what">What it holds.</param>
    public static ApiError MissingHeader(string name, string what) =>
        new(400, Invalid, "missing_required_parameter", $"Missing or invalid header '{name}': {what}.");

    /// <summary>The same for a link that was never made, that is too old, and whose file is gone.</summary>
    public static ApiError LinkInvalid() => new(404, Invalid, "not_found", "This link is not valid, or not any more.");

    /// <summary>What the ChatKit library refuses, in its words.</summary>
    public static ApiError OfChatKit(int status, string code, string message) =>
        new(status, status >= 500 ? Server : Invalid, code, message) { IsFinal = status == 501 };

    public static ApiError MissingScope(string scope) =>
        new(403, Invalid, "insufficient_permissions", $"This key lacks the scope '{scope}'.");

    public static ApiError GlobalAdminOnly() =>
        new(403, Invalid, "insufficient_permissions", "Only the global admin key may do this.");

    public static ApiError NotFound(string what) => new(404, Invalid, "not_found", $"No such {what}.");

    /// <summary>An object that is wrong as a whole, or between its fields.</summary>
    public static ApiError InvalidObject(string why) => new(400, Invalid, "invalid_value", $"Invalid request: {why}");

    /// <summary>A field that is shown and not set, or that cannot be set again.</summary>
    public static ApiError ReadOnly(string param, string why) =>
        new(400, Invalid, "read_only_parameter", $"'{param}' cannot be changed: {why}", param);

    public static ApiError AlreadyExists(string what) => new(409, Invalid, "already_exists", $"There is a {what} already.");

    /// <summary>The operator's file would undo the change.</summary>
    public static ApiError ManagedByFile(string what) =>
        new(409, Invalid, "managed_by_file",
            $"The {what} is managed by the gateway's configuration file; change it there and apply the file.");

    /// <param name="user">Such as <c>bot 'acme/support'</c>.</param>
    public static ApiError InUse(string what, string user) =>
        new(409, Invalid, "in_use", $"The {what} cannot be deleted: {user}.");

    /// <summary>Somebody else changed or deleted it while it was being changed; the same request may go through now.</summary>
    public static ApiError ChangedMeanwhile(string what) =>
        new(409, Invalid, "conflict", $"The {what} was changed or deleted by someone else in this moment; try again.");

    /// <summary>Somebody else changed it since it was read: the version that the caller named is not the last.</summary>
    public static ApiError VersionMismatch(string what) =>
        new(412, Invalid, "version_mismatch", $"The {what} has changed since it was read; read it again and repeat the change.");

    /// <summary>The database could not say whether the key or bot exists, and what is in memory is too old.</summary>
    public static ApiError ConfigurationUnavailable() =>
        new(503, Server, "configuration_unavailable", "The gateway cannot read its configuration. Try again.",
            RetryAfter: TimeSpan.FromSeconds(2));

    /// <summary>A gateway that stops; another one, or this one soon, answers.</summary>
    public static ApiError ShuttingDown() =>
        new(503, Server, "shutting_down", "The gateway is shutting down. Try again.", RetryAfter: TimeSpan.FromSeconds(1));

    public static ApiError DatabaseUnavailable() =>
        new(503, Server, "database_unavailable", "The gateway's database does not answer. Try again.",
            RetryAfter: TimeSpan.FromSeconds(2));

    public static ApiError DiskFull() =>
        new(503, Server, "disk_full", "The gateway's disk has no room for this upload at the moment.",
            RetryAfter: TimeSpan.FromSeconds(10));

    /// <param name="whose">Such as <c>key 'web'</c>.</param>
    /// <param name="what">What is limited, with its short name: <c>requests per min (RPM)</c>.</param>
    /// <param name="type">What is counted: <c>requests</c> or <c>tokens</c>.</param>
    public static ApiError RateLimited(
        string whose, string what, string type, long limit, long used, long requested, TimeSpan retryAfter) =>
        new(429, type, "rate_limit_exceeded",
            string.Create(
                CultureInfo.InvariantCulture,
                $"Rate limit reached for {whose} on {what}: Limit {limit}, Used {used}, Requested {requested}. Please try again in {Math.Ceiling(retryAfter.TotalSeconds)}s."),
            RetryAfter: retryAfter);

    /// <summary>Too many at a time, and too many that wait.</summary>
    public static ApiError TooManyAtATime(string whose, int limit) =>
        new(429, "requests", "rate_limit_exceeded",
            $"Rate limit reached for {whose} on requests at a time: Limit {limit}. Please try again in 1s.",
            RetryAfter: TimeSpan.FromSeconds(1));

    /// <summary>Not to be tried again soon: a budget lasts for a day or a month.</summary>
    /// <param name="budget">Such as <c>5 USD per day</c>.</param>
    public static ApiError BudgetSpent(string whose, string budget, string left, string need, DateTime resetsAt) =>
        new(429, "insufficient_quota", "insufficient_quota",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The budget of {whose} ({budget}) does not allow this request: {left} left, and it may use up to {need}. The budget is renewed at {resetsAt:yyyy-MM-dd'T'HH:mm'Z'}; a lower 'max_tokens' needs less."))
        {
            IsFinal = true,
        };

    /// <summary>The operator's to mend: money cannot be counted without a price.</summary>
    /// <param name="model">Null: a bot's, which is not the caller's to know.</param>
    public static ApiError PriceUnknown(string whose, string? model) =>
        new(403, Invalid, "price_unknown",
            $"The budget of {whose} is in USD, and the price of {(model is null ? "this bot's model" : $"the model '{Shown(model)}'")} is not known. "
            + "Give the model a 'price' in the gateway's configuration.");

    /// <summary>What is left of a limit cannot be learned from the database.</summary>
    public static ApiError LimitsUnavailable() =>
        new(503, Server, "limits_unavailable", "The gateway cannot check this key's limits at the moment. Try again.",
            RetryAfter: TimeSpan.FromSeconds(1));

    public static ApiError Unhandled() =>
        new(500, Server, null, "The server had an error while processing your request. The request id names it in the log.");

    public static ApiError UpstreamUnavailable(string selector) =>
        new(502, Server, "upstream_unavailable", $"The provider of '{selector}' could not be reached.");

    /// <summary>Every deployment has failed and is left alone for the moment.</summary>
    public static ApiError UpstreamFailing(string selector, TimeSpan retryAfter) =>
        new(503, Server, "upstream_unavailable",
            $"Every provider of '{selector}' is failing at the moment and not asked. Try again.", RetryAfter: retryAfter);

    /// <summary>Every provider has as many requests as it takes, and as many that wait.</summary>
    public static ApiError UpstreamOccupied(string selector) =>
        new(503, Server, "upstream_overloaded",
            $"Every place at the providers of '{selector}' is taken, and too many requests wait for one. Try again.",
            RetryAfter: TimeSpan.FromSeconds(1));

    public static ApiError UpstreamRefusedUs(string selector) =>
        new(502, Server, "upstream_unavailable", $"The provider of '{selector}' does not accept the gateway's request.");

    public static ApiError UpstreamMalformed(string selector, string why) =>
        new(502, Server, "upstream_invalid_reply", $"The provider of '{selector}' sent a reply that cannot be used: {why}.");

    public static ApiError UpstreamBroke(string selector) =>
        new(502, Server, "upstream_unavailable", $"The provider of '{selector}' broke off its reply.");

    /// <param name="clock">Which limit ran out: connect, headers, first content, idle, total.</param>
    public static ApiError UpstreamTimeout(string selector, string clock) =>
        new(504, Server, "upstream_timeout", $"The provider of '{selector}' did not answer in time ({clock}).");

    /// <summary>A refusal of the upstream that keeps its status; see <c>Upstream/UpstreamRefusal</c>.</summary>
    public static ApiError FromUpstream(int status, string type, string? code, string message, string? param, TimeSpan? retryAfter) =>
        new(status, type, code, message, param, retryAfter) { IsUpstreams = true };

    /// <summary>The envelope as UTF-8 JSON: <c>{"error":{"message","type","param","code"}}</c>, all four always there.</summary>
    public byte[] ToJson()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("message", Message);
            json.WriteString("type", Type);
            json.WriteString("param", Param);
            json.WriteString("code", Code);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Answers with this refusal. Only before the response has started.</summary>
    public Task WriteAsync(HttpContext http)
    {
        var body = ToJson();
        var response = http.Response;
        RequestFacts.Of(http).End ??= Code ?? Type;
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        // OpenAI's clients wait as this says before they try again; without it they guess.
        var wait = RetryAfter ?? (Status is 429 or 503 && !IsFinal ? TimeSpan.FromSeconds(1) : null);
        if (IsFinal)
        {
            response.Headers["x-should-retry"] = "false";
        }

        if (wait is { } time)
        {
            response.Headers.RetryAfter = ((long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>Answers with this refusal and notes it as how the request ended. Only before the response has started.</summary>
    public Task RefuseAsync(HttpContext http)
    {
        RequestFacts.Of(http).End = Code ?? Type;
        return WriteAsync(http);
    }

    public IResult ToResult() => new Result(this);

    /// <summary>What a caller sent, short enough to show and without what would garble a terminal.</summary>
    private static string Shown(string text)
    {
        var clean = string.Concat(text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(200));
        return clean.Length < text.Length && clean.Length == 200 ? clean + "…" : clean;
    }

    private sealed class Result(ApiError error) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => error.WriteAsync(httpContext);
    }
}
