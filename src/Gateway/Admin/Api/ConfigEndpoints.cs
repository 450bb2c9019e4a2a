using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin.Api;

/// <summary>
/// The routes of everything that <c>gateway.yaml</c> says: <c>/workspaces</c>, <c>/providers</c>, <c>/models</c>,
/// <c>/embedding_models</c>, <c>/web</c>, <c>/egress</c>, <c>/secrets</c>, <c>/datasets</c>, <c>/skillsets</c>, <c>/bots</c>.
/// </summary>
internal static class ConfigEndpoints
{
    public static IEndpointRouteBuilder MapConfig(this IEndpointRouteBuilder admin)
    {
        foreach (var kind in ConfigKinds.All)
        {
            Map(admin, kind);
        }

        return admin;
    }

    private static void Map(IEndpointRouteBuilder admin, ConfigKind kind)
    {
        var what = kind.Name.Replace('_', ' ');
        var item = kind.IsSingle ? $"/{kind.Path}" : kind.HasFreeNames ? $"/{kind.Path}/{{**{kind.IdField}}}" : $"/{kind.Path}/{{{kind.IdField}}}";
        admin.MapGet(item, (HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel) => GetAsync(kind, http, store, db, cancel))
            .WithMetadata(new RouteDoc($"Shows {Article(what)}.") { Kind = kind.Name, Verb = RouteVerb.Get, IsOwned = !kind.IsGlobal });
        admin.MapPatch(item, (HttpContext http, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel) =>
                ChangeAsync(kind, http, store, db, limits, cancel))
            .WithMetadata(new RouteDoc($"Changes {Article(what)}: fields that are absent stay, null means the default.")
            { Kind = kind.Name, Verb = RouteVerb.Change, IsOwned = !kind.IsGlobal });
        if (kind.IsSingle)
        {
            return;
        }

        admin.MapGet($"/{kind.Path}", (HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel) =>
                ListAsync(kind, http, store, db, cancel))
            .WithMetadata(new RouteDoc($"Lists {what}s by name.") { Kind = kind.Name, Verb = RouteVerb.List, IsOwned = !kind.IsGlobal });
        admin.MapPost($"/{kind.Path}", (HttpContext http, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel) =>
                CreateAsync(kind, http, store, db, limits, cancel))
            .WithMetadata(new RouteDoc($"Makes {Article(what)}.") { Kind = kind.Name, Verb = RouteVerb.Create, IsOwned = !kind.IsGlobal });
        admin.MapDelete(item, (HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel) => DeleteAsync(kind, http, store, db, cancel))
            .WithMetadata(new RouteDoc($"Deletes {Article(what)} that nothing uses.") { Kind = kind.Name, Verb = RouteVerb.Delete, IsOwned = !kind.IsGlobal });
    }

    private static async Task<IResult> GetAsync(ConfigKind kind, HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var id = Id(http, kind);
        var (owner, refused) = await ApiOwner.FindAsync(http, db, kind, isChange: false, named: null, cancel);
        return owner is null ? refused!.ToResult()
            : await store.FindAsync(kind, owner, id, cancel) is { } found ? Reply(http, found)
            : ApiError.NotFound(kind.Describe(id)).ToResult();
    }

    private static async Task<IResult> ListAsync(ConfigKind kind, HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, kind, isChange: false, named: null, cancel);
        if (owner is null || !ApiPage.TryRead(http.Request.Query, out var page, out refused))
        {
            return refused!.ToResult();
        }

        return ApiPage.Reply(await store.PageAsync(kind, owner, page.After, page.Limit, cancel), page.Limit);
    }

    private static async Task<IResult> CreateAsync(
        ConfigKind kind, HttpContext http, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel)
    {
        var (body, refused) = await ApiBody.ReadAsync(http, limits, cancel);
        if (body is null)
        {
            return refused!.ToResult();
        }

        (var owner, refused) = await ApiOwner.FindAsync(http, db, kind, isChange: true, kind.IsGlobal ? null : body.Text("workspace"), cancel);
        if (owner is null)
        {
            return refused!.ToResult();
        }

        var wanted = kind.IsGlobal ? body : body.Without(e => e.Key == "workspace" && e.Value is YamlScalar);
        return Reply(http, await store.CreateAsync(kind, owner, wanted, Actor.Of(RequestFacts.Of(http).Caller!), cancel));
    }

    private static async Task<IResult> ChangeAsync(
        ConfigKind kind, HttpContext http, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, kind, isChange: true, named: null, cancel);
        if (owner is null)
        {
            return refused!.ToResult();
        }

        (var body, refused) = await ApiBody.ReadAsync(http, limits, cancel);
        return body is null
            ? refused!.ToResult()
            : Reply(http, await store.ChangeAsync(
                kind, owner, Id(http, kind), version => ApiVersion.IsWanted(http, version),
                shown => ConfigPatch.Read(kind.Shape, kind.IdField, body, shown) is { } wrong ? wrong
                    : new ConfigChange(kind.Tidy(ConfigPatch.OnlyFields(kind.Shape, body, shown)), null),
                Actor.Of(RequestFacts.Of(http).Caller!), cancel));
    }

    private static async Task<IResult> DeleteAsync(ConfigKind kind, HttpContext http, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, kind, isChange: true, named: null, cancel);
        if (owner is null)
        {
            return refused!.ToResult();
        }

        var id = Id(http, kind);
        var reply = await store.DeleteAsync(
            kind, owner, id, version => ApiVersion.IsWanted(http, version), Actor.Of(RequestFacts.Of(http).Caller!), cancel);
        return reply.Error?.ToResult() ?? ApiPage.Deleted(kind.Name, id);
    }

    public static IResult Reply(HttpContext http, ConfigReply reply)
    {
        if (reply.Error is { } error)
        {
            return error.ToResult();
        }

        ApiVersion.Tell(http, reply.Row!.Version);
        return ApiPage.Json(reply.Shown!);
    }

    /// <summary>The server has decoded the path but for <c>%2F</c>, which names of models hold.</summary>
    private static string Id(HttpContext http, ConfigKind kind) =>
        (http.GetRouteValue(kind.IdField) as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static string Article(string what) => what switch
    {
        "web" => "the settings of web search and page reading",
        "egress" => "which private places bots may reach",
        ['e', ..] => $"an {what}",
        _ => $"a {what}",
    };
}
