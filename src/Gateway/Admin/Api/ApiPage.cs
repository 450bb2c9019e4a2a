using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Http;

namespace Gateway.Admin.Api;

/// <summary>Lists as OpenAI has them, and how objects are written.</summary>
/// <param name="After">The last that was seen; null: the first page.</param>
internal sealed record ApiPage(string? After, int Limit)
{
    public const int MostPerPage = 1_000;

    private const int UsualPerPage = 100;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool TryRead(IQueryCollection query, out ApiPage page, out ApiError? error)
    {
        var limit = UsualPerPage;
        var after = query["after"].FirstOrDefault();
        error = query["limit"].FirstOrDefault() is { } count
                && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MostPerPage)
            ? ApiError.InvalidValue("limit", $"expected a whole number from 1 to {MostPerPage}.")
            : after is not null && (after.Length == 0 || !YamlScalars.IsStorable(after))
            ? ApiError.InvalidValue("after", "expected the name or id of the last object of the page before.")
            : null;
        page = new ApiPage(after, limit);
        return error is null;
    }

    /// <param name="found">One more than the limit when there are more.</param>
    public static IResult Reply(IReadOnlyList<JsonObject> found, int limit) => Json(new JsonObject
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. found.Take(limit)]),
        ["has_more"] = found.Count > limit,
    });

    public static IResult Deleted(string kind, string id) => Json(new JsonObject
    {
        ["object"] = $"{kind}.deleted",
        ["id"] = id,
        ["deleted"] = true,
    });

    public static IResult Json(JsonObject value) => Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(value, Plain), "application/json");
}
