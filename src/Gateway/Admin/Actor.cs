using Gateway.Data;
using Gateway.Http;

namespace Gateway.Admin;

/// <summary>Who changes the configuration, as the audit log says it.</summary>
/// <param name="KeyId">All zeros where it is no key of a workspace.</param>
internal sealed record Actor(string Name, Guid KeyId)
{
    public static readonly Actor File = new("file", Guid.Empty);
    public static readonly Actor CommandLine = new("command line", Guid.Empty);

    /// <summary>The gateway itself, which makes the first key.</summary>
    public static readonly Actor Gateway = new("gateway", Guid.Empty);

    public static Actor Of(Caller caller) => new(caller.KeyName, caller.KeyId);
}

/// <summary>Writes the audit log, in the transaction of the change that it tells of.</summary>
internal sealed class AuditLog(GatewayDb db, Actor actor, TimeProvider clock)
{
    /// <param name="workspace">All zeros for what belongs to no workspace.</param>
    /// <param name="action"><c>created</c>, <c>updated</c>, <c>deleted</c>, <c>revoked</c>.</param>
    /// <param name="fields">What changed, as the YAML file calls it; never a value.</param>
    public void Add(Guid workspace, string action, string kind, string subject, IReadOnlyList<string> fields) => db.Audit.Add(new AuditRow
    {
        WorkspaceId = workspace,
        Id = Guid.CreateVersion7(clock.GetUtcNow()),
        At = clock.GetUtcNow().UtcDateTime,
        Actor = actor.Name,
        KeyId = actor.KeyId,
        Action = action,
        Kind = kind,
        Subject = subject,
        Fields = [.. fields],
    });

    /// <param name="workspaceOf">The id of a workspace by its name, also of one that goes.</param>
    public void Add(ApplyChanges changes, Func<string, Guid> workspaceOf)
    {
        foreach (var change in changes.All)
        {
            var workspace = change.Workspace is { } owner ? workspaceOf(owner) : Guid.Empty;
            var fields = change.Fields.Select(f => f == ApplyEdit.Adopted ? "managed" : f).ToList();
            Add(workspace, change.Action, change.Kind.Replace(' ', '_'), change.Subject, fields);
        }
    }
}
