using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Admin.Api;
using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>A key as the API shows it. <c>key</c> is there once, in the answer that made it.</summary>
internal sealed record KeyObject(
    string Id, string Workspace, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Selectors, string Ending,
    int? Rpm, long? Tpm, int? Concurrent, BudgetObject? Budget, long CreatedAt, long? ExpiresAt, long? RevokedAt, string? Key)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "key";
}

/// <param name="HasMore">Whether <c>after</c> with the last id gives more.</param>
internal sealed record KeyList(IReadOnlyList<KeyObject> Data, bool HasMore)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; init; } = "list";
}

internal sealed record KeyDeleted(string Id, bool Deleted = true)
{
    public string Object { get; init; } = "key.deleted";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeyObject))]
[JsonSerializable(typeof(KeyList))]
[JsonSerializable(typeof(KeyDeleted))]
[JsonSerializable(typeof(DeploymentList))]
internal sealed partial class AdminJson : JsonSerializerContext;

/// <summary><c>/admin/v1/keys</c>. A workspace's admin key reaches its own workspace's keys alone.</summary>
internal static class KeyEndpoints
{
    private const int MostPerPage = 1_000;

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "workspace", "name", "scopes", "selectors", "rpm", "tpm", "concurrent", "budget", "expires_at",
    };

    public static IEndpointRouteBuilder MapKeys(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/keys", CreateAsync).WithMetadata(Doc("Makes a key and shows it, this once.", RouteVerb.Create));
        admin.MapGet("/keys", ListAsync).WithMetadata(Doc("Lists keys, newest last.", RouteVerb.List) with { Query = ["workspace"] });
        admin.MapGet("/keys/{id}", GetAsync).WithMetadata(Doc("Shows a key.", RouteVerb.Get));
        admin.MapDelete("/keys/{id}", RevokeAsync).WithMetadata(Doc("Revokes a key for good.", RouteVerb.Delete));
        return admin;
    }

    private static RouteDoc Doc(string summary, RouteVerb verb) => new(summary) { Kind = "key", Verb = verb };

    private static async Task<IResult> CreateAsync(HttpContext http, KeyStore keys, BodyLimits limits, CancellationToken cancel)
    {
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            return refused!.ToResult();
        }

        using (body)
        {
            var caller = RequestFacts.Of(http).Caller!;
            if (!JsonBody.TryRead(body.Memory, null, out var json, out var error) || !TryRead(json, caller, out var wanted, out error))
            {
                return error!.ToResult();
            }

            var (row, key, wrong) = await keys.CreateAsync(wanted, Actor.Of(caller), cancel);
            if (wrong is not null)
            {
                return wrong.ToResult();
            }

            ApiVersion.Tell(http, row!.Version);
            return Results.Json(Show(row, wanted.Workspace, key), AdminJson.Default.KeyObject);
        }
    }

    private static async Task<IResult> ListAsync(HttpContext http, KeyStore keys, CancellationToken cancel)
    {
        if (!TryReadPage(http.Request.Query, out var page, out var wrong))
        {
            return wrong!.ToResult();
        }

        if (await keys.PageAsync(RequestFacts.Of(http).Caller!.WorkspaceId, page, cancel) is not { } found)
        {
            return ApiError.InvalidValue("after", "there is no such key.").ToResult();
        }

        return Results.Json(
            new KeyList([.. found.Take(page.Limit).Select(k => Show(k.Key, k.Workspace, null))], found.Count > page.Limit),
            AdminJson.Default.KeyList);
    }

    private static async Task<IResult> GetAsync(HttpContext http, string id, KeyStore keys, CancellationToken cancel)
    {
        if (!Guid.TryParse(id, out var guid)
            || await keys.FindAsync(RequestFacts.Of(http).Caller!.WorkspaceId, guid, cancel) is not { } found)
        {
            return ApiError.NotFound("key").ToResult();
        }

        ApiVersion.Tell(http, found.Key.Version);
        return Results.Json(Show(found.Key, found.Workspace, null), AdminJson.Default.KeyObject);
    }

    private static async Task<IResult> RevokeAsync(HttpContext http, string id, KeyStore keys, CancellationToken cancel)
    {
        var caller = RequestFacts.Of(http).Caller!;
        return (Guid.TryParse(id, out var guid)
            ? await keys.RevokeAsync(caller.WorkspaceId, guid, Actor.Of(caller), version => ApiVersion.IsWanted(http, version), cancel)
            : ApiError.NotFound("key"))?.ToResult()
            ?? Results.Json(new KeyDeleted(id), AdminJson.Default.KeyDeleted);
    }

    private static bool TryReadPage(IQueryCollection query, out KeyPage page, out ApiError? error)
    {
        var workspace = query["workspace"].FirstOrDefault();
        var limit = MostPerPage;
        var after = Guid.Empty;
        var hasAfter = query["after"].FirstOrDefault() is { } id && Guid.TryParse(id, out after);
        error = workspace?.Any(char.IsControl) == true
            ? ApiError.InvalidValue("workspace", "expected a workspace's name, without control characters.")
            : query["limit"].FirstOrDefault() is { } count
                && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MostPerPage)
            ? ApiError.InvalidValue("limit", $"expected a whole number from 1 to {MostPerPage}.")
            : query.ContainsKey("after") && !hasAfter
            ? ApiError.InvalidValue("after", "expected the id of a key.")
            : null;
        page = new KeyPage(workspace, hasAfter ? after : null, limit);
        return error is null;
    }

    private static KeyObject Show(KeyRow row, string workspace, string? key) => new(
        row.Id.ToString(), workspace, row.Name, row.Scopes, row.Selectors, row.Ending,
        row.Limits.Rpm, row.Limits.Tpm, row.Limits.Concurrent, BudgetObject.Of(LimitValues.From(row.Limits)?.Budget),
        Seconds(row.CreatedAt)!.Value, Seconds(row.ExpiresAt), Seconds(row.RevokedAt), key);

    private static long? Seconds(DateTime? time) =>
        time is { } utc ? new DateTimeOffset(utc, TimeSpan.Zero).ToUnixTimeSeconds() : null;

    private static bool TryRead(JsonBody json, Caller caller, out NewKey wanted, out ApiError? error)
    {
        wanted = null!;
        foreach (ref readonly var member in json.Members)
        {
            var name = System.Text.Encoding.UTF8.GetString(json.Name(member));
            if (!Known.Contains(name))
            {
                error = ApiError.InvalidValue(name, $"unknown field; expected one of: {string.Join(", ", Known)}.");
                return false;
            }
        }

        error = null;
        var workspace = Text(json, "workspace", ref error);
        var keyName = Text(json, "name", ref error);
        var scopes = Texts(json, "scopes", ref error);
        var selectors = Texts(json, "selectors", ref error);
        var limits = KeyLimits.Read(json, ref error);
        var expires = Time(json, ref error);
        if (error is null && workspace is null && caller.WorkspaceId is not null)
        {
            workspace = caller.Workspace;
        }

        error ??= workspace is null ? ApiError.MissingParameter("workspace")
            : keyName is null ? ApiError.MissingParameter("name")
            // The same answer for a workspace that is not there and one that is not this key's.
            : caller.WorkspaceId is not null && workspace != caller.Workspace ? ApiError.NotFound($"workspace '{workspace}'")
            : null;
        error ??= Beyond(caller, selectors, expires) ?? KeyLimits.Beyond(caller.Limits, limits);
        wanted = error is null ? new NewKey(workspace!, keyName!, scopes, selectors, expires, limits) : null!;
        return error is null;
    }

    /// <summary>A key that is bound to selectors or to a time (limits: <see cref="KeyLimits"/>) cannot make one that is bound to less.</summary>
    private static ApiError? Beyond(Caller caller, List<string> selectors, DateTimeOffset? expires)
    {
        if (caller.Selectors.Length > 0
            && (selectors.Count == 0 || !selectors.TrueForAll(s => Array.Exists(caller.Selectors, own => Covers(own, s)))))
        {
            return ApiError.InvalidValue("selectors", $"expected some of what this key itself may use: {string.Join(", ", caller.Selectors)}.");
        }

        return caller.ExpiresAt is { } end && (expires is null || expires > end)
            ? ApiError.InvalidValue("expires_at", $"expected a time until {end:yyyy-MM-ddTHH:mm:ssZ}, when this key itself expires.")
            : null;
    }

    private static bool Covers(string own, string wanted) =>
        own == wanted || (own.EndsWith('*') && wanted.StartsWith(own[..^1], StringComparison.Ordinal));

    private static string? Text(JsonBody json, string name, ref ApiError? error)
    {
        if (!json.TryGet(System.Text.Encoding.UTF8.GetBytes(name), out var member))
        {
            return null;
        }

        if (member.Kind == JsonTokenType.String && json.Text(member) is { } text)
        {
            return text;
        }

        error ??= ApiError.InvalidType(name, "a string", JsonBody.KindName(member.Kind));
        return null;
    }

    private static List<string> Texts(JsonBody json, string name, ref ApiError? error)
    {
        var texts = new List<string>();
        if (!json.TryGet(System.Text.Encoding.UTF8.GetBytes(name), out var member))
        {
            return texts;
        }

        var reader = new Utf8JsonReader(json.Value(member).Span);
        reader.Read();
        var isList = reader.TokenType == JsonTokenType.StartArray;
        while (isList && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            isList = reader.TokenType == JsonTokenType.String;
            if (isList && TextOf(ref reader) is { } text)
            {
                texts.Add(text);
            }
            else
            {
                isList = false;
            }
        }

        // Absent means all; an empty list, which a script may have come to, must not mean the same.
        if (isList && texts.Count == 0)
        {
            error ??= ApiError.EmptyArray(name);
        }

        if (!isList)
        {
            error ??= member.Kind == JsonTokenType.StartArray
                ? ApiError.InvalidValue(name, "expected an array of strings, each of them whole.")
                : ApiError.InvalidType(name, "an array of strings", JsonBody.KindName(member.Kind));
        }

        return texts;
    }

    /// <summary>Null when the string holds half of a surrogate pair, which is no text.</summary>
    private static string? TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static DateTimeOffset? Time(JsonBody json, ref ApiError? error)
    {
        if (!json.TryGet("expires_at"u8, out var member))
        {
            return null;
        }

        if (member.Kind == JsonTokenType.Number)
        {
            var reader = new Utf8JsonReader(json.Value(member).Span);
            reader.Read();
            if (reader.TryGetInt64(out var seconds) && seconds is > 0 and < 253_402_300_800)
            {
                return DateTimeOffset.FromUnixTimeSeconds(seconds);
            }
        }
        else if (member.Kind == JsonTokenType.String
            && DateTimeOffset.TryParse(json.Text(member), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        error ??= ApiError.InvalidValue("expires_at", "expected seconds since 1970 or a date such as 2030-01-31T00:00:00Z.");
        return null;
    }
}
