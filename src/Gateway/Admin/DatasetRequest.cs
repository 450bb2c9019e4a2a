using System.Globalization;
using System.Text.Json;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>Where the requests about a dataset's contents begin: whose dataset it is, which page, what body.</summary>
internal static class DatasetRequest
{
    private const int MostPerPage = 1_000;
    private const int DefaultPerPage = 100;

    /// <summary>
    /// The dataset of a path, by name or id, with its workspace's name. A workspace's key reaches its own workspace alone, the
    /// global key the one that <c>workspace</c> names. Null: there is none, or not for this key.
    /// </summary>
    public static async Task<(DatasetRow Dataset, string Workspace)?> FindAsync(HttpContext http, GatewayDb db, string dataset, CancellationToken cancel)
    {
        var caller = RequestFacts.Of(http).Caller!;
        var named = http.Request.Query["workspace"].FirstOrDefault();
        if (dataset.Any(char.IsControl) || named?.Any(char.IsControl) == true)
        {
            return null;
        }

        var isId = Guid.TryParse(named, out var given);
        var workspace = caller.WorkspaceId is { } own
            ? named is null || named == caller.Workspace || (isId && given == own) ? own : (Guid?)null
            : named is null ? null
            : await db.Workspaces.Where(w => w.Name == named || (isId && w.Id == given)).Select(w => (Guid?)w.Id).FirstOrDefaultAsync(cancel);
        if (workspace is not { } id)
        {
            return null;
        }

        var byId = Guid.TryParse(dataset, out var datasetId);
        var row = await db.Datasets.AsNoTracking()
            .FirstOrDefaultAsync(d => d.WorkspaceId == id && (d.Name == dataset || (byId && d.Id == datasetId)), cancel);
        return row is null ? null : (row, await db.Workspaces.Where(w => w.Id == id).Select(w => w.Name).SingleAsync(cancel));
    }

    public static ApiError NoDataset(HttpContext http) =>
        RequestFacts.Of(http).Caller!.IsGlobalAdmin && !http.Request.Query.ContainsKey("workspace")
            ? ApiError.MissingParameter("workspace")
            : ApiError.NotFound("dataset");

    /// <summary>How many, and behind which id.</summary>
    public static bool TryReadPage(HttpContext http, out int limit, out Guid after, out ApiError? error)
    {
        var query = http.Request.Query;
        (limit, after, error) = (DefaultPerPage, Guid.Empty, null);
        if (query["limit"].FirstOrDefault() is { } count
            && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MostPerPage))
        {
            error = ApiError.InvalidValue("limit", $"expected a whole number from 1 to {MostPerPage}.");
        }
        else if (query["after"].FirstOrDefault() is { } id && !Guid.TryParse(id, out after))
        {
            error = ApiError.InvalidValue("after", "expected an id.");
        }

        return error is null;
    }

    /// <summary>Reads a JSON object, whose members must be among those that are known.</summary>
    /// <returns>Either the object, which the caller disposes, or why it is refused.</returns>
    public static async Task<(JsonDocument? Json, ApiError? Error)> ReadAsync(
        HttpContext http, BodyLimits limits, IReadOnlyCollection<string> known, CancellationToken cancel)
    {
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            return (null, refused);
        }

        using (body)
        {
            if (!JsonBody.TryRead(body.Memory, null, out _, out var error))
            {
                return (null, error);
            }

            // A copy: what is parsed stands in the buffer, which goes back to its pool.
            var json = JsonDocument.Parse(body.Memory.ToArray());
            foreach (var member in json.RootElement.EnumerateObject())
            {
                if (!known.Contains(member.Name))
                {
                    var name = member.Name;
                    json.Dispose();
                    return (null, ApiError.InvalidValue(name, $"unknown field; expected one of: {string.Join(", ", known)}."));
                }
            }

            return (json, null);
        }
    }

    /// <summary>A member that is a string; null when it is absent or null.</summary>
    public static string? Text(JsonElement json, string name, ref ApiError? error)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                return value.GetString();
            }

            error ??= ApiError.InvalidValue(name, "expected a string.");
        }
        catch (InvalidOperationException)
        {
            error ??= ApiError.InvalidValue(name, "it holds half of a surrogate pair.");
        }

        return null;
    }
}
