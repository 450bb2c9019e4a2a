using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Gateway.Http;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>
/// Abilities one by one: <c>/skillsets/{name}/abilities</c> and <c>/abilities/{id}</c>. A change of one is a change of its
/// skillset, whose version is theirs too.
/// </summary>
internal static class AbilityEndpoints
{
    private static readonly FileShape.Object Shape = ApiShape.Of(SkillsetShape.Ability);

    public static IEndpointRouteBuilder MapAbilities(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/skillsets/{name}/abilities", ListAsync).WithMetadata(Doc("Lists a skillset's abilities in its order.", RouteVerb.List));
        admin.MapPost("/skillsets/{name}/abilities", CreateAsync).WithMetadata(Doc("Adds an ability to a skillset, as its last.", RouteVerb.Create));
        admin.MapGet("/abilities/{id}", GetAsync).WithMetadata(Doc("Shows an ability.", RouteVerb.Get));
        admin.MapPatch("/abilities/{id}", ChangeAsync)
            .WithMetadata(Doc("Changes an ability: fields that are absent stay, null means the default.", RouteVerb.Change));
        admin.MapDelete("/abilities/{id}", DeleteAsync).WithMetadata(Doc("Takes an ability out of its skillset.", RouteVerb.Delete));
        return admin;
    }

    private static async Task<IResult> ListAsync(HttpContext http, string name, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, named: null, cancel);
        if (owner is null || !ApiPage.TryRead(http.Request.Query, out var page, out refused))
        {
            return refused!.ToResult();
        }

        if (await store.FindAsync(ConfigKinds.Skillset, owner, name, cancel) is not { Shown: { } skillset })
        {
            return ApiError.NotFound(ConfigKinds.Skillset.Describe(name)).ToResult();
        }

        var abilities = Abilities(skillset);
        var last = page.After is null ? -1 : abilities.FindIndex(a => IdOf(a) == page.After);
        return page.After is not null && last < 0
            ? ApiError.InvalidValue("after", "there is no such ability.").ToResult()
            : ApiPage.Reply([.. abilities.Skip(last + 1).Take(page.Limit + 1).Select(a => a.DeepClone().AsObject())], page.Limit);
    }

    private static async Task<IResult> GetAsync(HttpContext http, string id, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var (owner, skillset, refused) = await FindAsync(http, db, id, cancel);
        return skillset is null ? refused!.ToResult()
            : await store.FindAsync(ConfigKinds.Skillset, owner!, skillset, cancel) is { } found ? Reply(http, found, id)
            : ApiError.NotFound("ability").ToResult();
    }

    private static async Task<IResult> CreateAsync(
        HttpContext http, string name, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, named: null, cancel);
        if (owner is null)
        {
            return refused!.ToResult();
        }

        (var body, refused) = await ApiBody.ReadAsync(http, limits, cancel);
        if (body is null)
        {
            return refused!.ToResult();
        }

        var reply = await EditAsync(http, store, owner, name, skillset =>
        {
            var there = Abilities(skillset);
            return there.Exists(a => a["name"]!.GetValue<string>() == body.Text("name"))
                ? ApiError.AlreadyExists($"ability {FileWords.Quote(body.Text("name")!)} in this skillset")
                : Change([.. there.Select(ConfigPatch.Node), body], there.Count);
        }, cancel);
        var made = reply.Shown is null ? null : Abilities(reply.Shown)[^1];
        return Reply(http, reply, made is null ? "" : IdOf(made));
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext http, string id, ConfigStore store, GatewayDb db, BodyLimits limits, CancellationToken cancel)
    {
        var (owner, skillset, refused) = await FindAsync(http, db, id, cancel);
        if (skillset is null)
        {
            return refused!.ToResult();
        }

        (var body, refused) = await ApiBody.ReadAsync(http, limits, cancel);
        return body is null ? refused!.ToResult() : Reply(http, await EditAsync(http, store, owner!, skillset, shown =>
        {
            var there = Abilities(shown);
            var at = there.FindIndex(a => IsThis(a, id));
            if (at < 0)
            {
                return ApiError.NotFound("ability");
            }

            if (ConfigPatch.Read(Shape, "name", body, there[at]) is { } wrong)
            {
                return wrong;
            }

            var nodes = there.Select(ConfigPatch.Node).ToList();
            var current = ApiBody.Merge(null, SkillsetKind.TidyAbility(nodes[at]), Shape);
            nodes[at] = ApiBody.Merge(current, ConfigPatch.OnlyFields(Shape, body, there[at]), Shape);
            return Change(nodes, at);
        }, cancel), id);
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, string id, ConfigStore store, GatewayDb db, CancellationToken cancel)
    {
        var (owner, skillset, refused) = await FindAsync(http, db, id, cancel);
        if (skillset is null)
        {
            return refused!.ToResult();
        }

        var reply = await EditAsync(http, store, owner!, skillset, shown =>
        {
            var there = Abilities(shown);
            var left = there.Where(a => !IsThis(a, id)).ToList();
            return left.Count == there.Count ? ApiError.NotFound("ability") : Change([.. left.Select(ConfigPatch.Node)], 0);
        }, cancel);
        return reply.Error?.ToResult() ?? ApiPage.Deleted("ability", id);
    }

    private static Task<ConfigReply> EditAsync(
        HttpContext http, ConfigStore store, Owner owner, string skillset, Func<JsonObject, ConfigChange> change, CancellationToken cancel) =>
        store.ChangeAsync(
            ConfigKinds.Skillset, owner, skillset, version => ApiVersion.IsWanted(http, version), change,
            Actor.Of(RequestFacts.Of(http).Caller!), cancel);

    /// <summary>The skillset that has the ability; the same answer for none and another workspace's.</summary>
    private static async Task<(Owner? Owner, string? Skillset, ApiError? Error)> FindAsync(
        HttpContext http, GatewayDb db, string id, CancellationToken cancel)
    {
        var (owner, refused) = await ApiOwner.FindAsync(http, db, named: null, cancel);
        if (owner is null)
        {
            return (null, null, refused);
        }

        var skillset = !Guid.TryParse(id, out var guid) ? null : await db.Skillsets
            .Where(s => s.WorkspaceId == owner.Id && s.Abilities.Any(a => a.Id == guid)).Select(s => s.Name).SingleOrDefaultAsync(cancel);
        return (owner, skillset, skillset is null ? ApiError.NotFound("ability") : null);
    }

    private static ConfigChange Change(IReadOnlyList<YamlNode> abilities, int at)
    {
        var list = new YamlList(1, 1, 1, [.. abilities.Select(SkillsetKind.TidyAbility)]);
        return new ConfigChange(new YamlMap(1, 1, 1, [new YamlEntry(1, "abilities", list)]), null, $".abilities[{at}]");
    }

    private static IResult Reply(HttpContext http, ConfigReply reply, string id) => reply.Error is not null
        ? ConfigEndpoints.Reply(http, reply)
        : Abilities(reply.Shown!).Find(a => IsThis(a, id)) is { } ability
            ? ConfigEndpoints.Reply(http, reply with { Shown = ability })
            : ApiError.NotFound("ability").ToResult();

    private static List<JsonObject> Abilities(JsonObject skillset) => [.. skillset["abilities"]!.AsArray().Select(a => a!.AsObject())];

    private static string IdOf(JsonObject ability) => ability["id"]!.GetValue<string>();

    private static bool IsThis(JsonObject ability, string id) => Guid.TryParse(id, out var wanted) && Guid.Parse(IdOf(ability)) == wanted;

    private static RouteDoc Doc(string summary, RouteVerb verb) => new(summary) { Kind = "ability", Verb = verb, IsOwned = true };
}
