using System.Globalization;
using System.Text.Json;
using ChatKit;
using Gateway.Http;

namespace Gateway.ChatKit.Threads;

/// <summary>
/// <c>/v1/chatkit/threads</c>, as OpenAI's SDKs read it (<c>beta.chatkit.threads</c>): for a workspace's servers, over all users of
/// the bots that the key may use.
/// </summary>
internal sealed class ThreadEndpoints(ThreadTable threads)
{
    private const int DefaultPage = 20;
    private const int MostPerPage = 100;

    public async Task ListAsync(HttpContext http)
    {
        var (page, error) = ReadPage(http.Request);
        if (error is not null)
        {
            await error.RefuseAsync(http);
            return;
        }

        var caller = RequestFacts.Of(http).Caller!;
        var user = http.Request.Query["user"].ToString();
        var found = await threads.ListAsync(caller, user.Length > 0 ? user : null, page!, http.RequestAborted);
        await WriteListAsync(http, found, row => row.Id, ThreadObjects.Write);
    }

    public async Task GetAsync(HttpContext http)
    {
        if (await threads.FindAsync(RequestFacts.Of(http).Caller!, Id(http), http.RequestAborted) is not { } found)
        {
            await ApiError.NotFound("thread").RefuseAsync(http);
            return;
        }

        await WriteAsync(http, json => ThreadObjects.Write(json, found));
    }

    public async Task ListItemsAsync(HttpContext http)
    {
        var (page, error) = ReadPage(http.Request);
        if (error is not null)
        {
            await error.RefuseAsync(http);
            return;
        }

        var (caller, id) = (RequestFacts.Of(http).Caller!, Id(http));
        if (await threads.FindAsync(caller, id, http.RequestAborted) is null)
        {
            await ApiError.NotFound("thread").RefuseAsync(http);
            return;
        }

        var found = await threads.ListItemsAsync(caller, id, page!, http.RequestAborted);
        await WriteListAsync(http, found, item => item.Id, ThreadObjects.Write);
    }

    public async Task DeleteAsync(HttpContext http)
    {
        var (caller, id) = (RequestFacts.Of(http).Caller!, Id(http));
        if (!await threads.DeleteAsync(caller, id, http.RequestAborted))
        {
            await ApiError.NotFound("thread").RefuseAsync(http);
            return;
        }

        await WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("object", "chatkit.thread.deleted");
            json.WriteBoolean("deleted", true);
            json.WriteEndObject();
        });
    }

    private static (ThreadPage? Page, ApiError? Error) ReadPage(HttpRequest request)
    {
        var query = request.Query;
        var limit = DefaultPage;
        if (query["limit"].ToString() is { Length: > 0 } asked
            && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostPerPage))
        {
            return (null, ApiError.InvalidValue("limit", $"expected 1 to {MostPerPage}."));
        }

        var order = query["order"].ToString();
        if (order is not ("" or "asc" or "desc"))
        {
            return (null, ApiError.InvalidValue("order", "expected 'asc' or 'desc'."));
        }

        var (after, before) = (query["after"].ToString(), query["before"].ToString());
        return (new ThreadPage(
            limit, order == "asc" ? SortOrder.Asc : SortOrder.Desc, after.Length > 0 ? after : null, before.Length > 0 ? before : null), null);
    }

    private static Task WriteListAsync<T>(HttpContext http, Page<T> page, Func<T, string> id, Action<Utf8JsonWriter, T> write) =>
        WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var each in page.Data)
            {
                write(json, each);
            }

            json.WriteEndArray();
            json.WriteString("first_id", page.Data.Count > 0 ? id(page.Data[0]) : null);
            json.WriteString("last_id", page.Data.Count > 0 ? id(page.Data[^1]) : null);
            json.WriteBoolean("has_more", page.HasMore);
            json.WriteEndObject();
        });

    private static async Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> write)
    {
        http.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        write(json);
        await json.FlushAsync(http.RequestAborted);
    }

    private static string Id(HttpContext http) => (string)http.GetRouteValue("id")!;
}
