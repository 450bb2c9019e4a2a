using System.Text.Json.Nodes;
using Gateway.Admin.File;
using Gateway.Data;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin.Api;

/// <summary>What a change of one object needs: the rows as they will be, and where errors and changes are noted.</summary>
internal sealed record Matching(
    GatewayDb Db, SecretBox Box, ApplyRows Rows, ApplyChanges Changes, List<FileError> Errors, TimeProvider Clock);

/// <summary>One kind of object: how the file has it, where its rows are, how it is shown.</summary>
/// <param name="name">As <c>object</c> and the audit log have it, such as <c>bot</c>.</param>
/// <param name="section">The list or section of the file that holds it, such as <c>bots</c>.</param>
internal abstract class ConfigKind(string name, string section, FileShape.Object shape)
{
    public string Name { get; } = name;

    /// <summary>Its path below <c>/admin/v1/</c>.</summary>
    public string Path { get; } = ApiShape.Snake(section);

    /// <summary>The field that is its identity, in the API and in paths.</summary>
    public virtual string IdField => "name";

    /// <summary>Belongs to no workspace: for the global admin key alone.</summary>
    public virtual bool IsGlobal => false;

    /// <summary>There is always one, which cannot be made or deleted.</summary>
    public virtual bool IsSingle => false;

    /// <summary>Names in which a slash may stand.</summary>
    public virtual bool HasFreeNames => false;

    /// <summary>What a body may hold.</summary>
    public FileShape.Object Shape { get; } = ApiShape.Of(shape);

    protected string Section { get; } = section;

    /// <summary>Such as <c>bot 'support'</c>, in messages.</summary>
    public string Describe(string id) => IsSingle ? $"'{Name}' settings" : $"{Name.Replace('_', ' ')} {FileWords.Quote(id)}";

    /// <param name="isTracked">Whether what is found will be changed.</param>
    public abstract Task<IConfigRow?> FindAsync(GatewayDb db, Guid workspace, string id, bool isTracked, CancellationToken cancel);

    /// <summary>In the order of their names' code points.</summary>
    /// <param name="after">The name of the last one that was seen, there or not; null: from the beginning.</param>
    public abstract Task<IReadOnlyList<IConfigRow>> PageAsync(
        GatewayDb db, Guid workspace, string? after, int most, CancellationToken cancel);

    /// <summary>Every field, defaults too, and never a credential.</summary>
    public abstract JsonObject Show(IConfigRow row, Surroundings around);

    public abstract ManagedBy ManagedOf(IConfigRow row);

    /// <summary>Adds what is not shown, as the body of a change would have it.</summary>
    public virtual void AddSecrets(IConfigRow row, SecretBox box, JsonObject shown)
    {
    }

    /// <summary>A change without what is only shown inside of it, so that what was read can be sent back.</summary>
    public virtual YamlMap Tidy(YamlMap body) => body;

    /// <summary>Makes the row what the one object of the file says, new or changed.</summary>
    public abstract Task MatchAsync(Matching matching, WorkspaceRow? owner, GatewayFile file, CancellationToken cancel);

    /// <summary>The row after <see cref="MatchAsync"/>.</summary>
    public abstract IConfigRow? Find(ApplyRows rows, Guid workspace, string id);

    /// <summary>Where the object stands in the tree that is read, so that an error's path can begin below it.</summary>
    public virtual string Place => IsSingle ? Path : IsGlobal ? $"{Path}[0]" : $"workspaces[0].{Path}[0]";

    /// <summary>Reads an object as if it were the only one in a file. Null with errors.</summary>
    /// <param name="workspace">The owner's name; null for what belongs to no workspace.</param>
    public GatewayFile? Read(string? workspace, YamlNode node, List<FileError> errors)
    {
        var (tree, root) = Wrap(workspace, node);
        var at = new FilePlace(1, "");
        if (new FileWalk(environment: null, errors).Read(tree, ApiShape.Of(root), at) is not { } value)
        {
            return null;
        }

        value = ApiShape.ToFile(value, root);
        // Rules between fields would only say once more what is wrong with the fields.
        if (errors.Count == 0)
        {
            FileRules.Check(value, errors);
        }

        return errors.Count == 0 ? FileRecords.Make(value) : null;
    }

    /// <summary>The tree around an object as the file has it, and its shape.</summary>
    protected virtual (YamlMap Tree, FileShape.Object Shape) Wrap(string? workspace, YamlNode node)
    {
        if (IsSingle)
        {
            return (Map((Path, node)), new FileShape.Object(new Field(Section, shape, "")));
        }

        var list = new Field(Section, new FileShape.List(shape), "");
        return IsGlobal
            ? (Map((Path, List(node))), new FileShape.Object(list))
            : (Map(("workspaces", List(Map(("name", new YamlScalar(1, workspace!, IsPlain: false)), (Path, List(node)))))),
                new FileShape.Object(new Field(
                    "workspaces", new FileShape.List(new FileShape.Object(new Field("name", FileTexts.WorkspaceName, ""), list)), "")));
    }

    private static YamlMap Map(params (string Name, YamlNode Value)[] members) =>
        new(1, 1, 1, [.. members.Select(m => new YamlEntry(1, m.Name, m.Value))]);

    private static YamlList List(YamlNode item) => new(1, 1, 1, [item]);
}

/// <inheritdoc/>
/// <typeparam name="TRow">Its rows, of one workspace when it has owners.</typeparam>
internal abstract class ConfigKind<TRow>(string name, string section, FileShape.Object shape) : ConfigKind(name, section, shape)
    where TRow : class, IConfigRow
{
    private const string ByCodePoint = "C";

    /// <summary>The property that is its identity.</summary>
    protected virtual string IdProperty => "Name";

    protected abstract IQueryable<TRow> Rows(GatewayDb db, Guid workspace);

    protected abstract JsonObject Show(TRow row, Surroundings around);

    protected abstract ManagedBy ManagedOf(TRow row);

    public sealed override JsonObject Show(IConfigRow row, Surroundings around) => Show((TRow)row, around);

    public sealed override ManagedBy ManagedOf(IConfigRow row) => ManagedOf((TRow)row);

    public override async Task<IConfigRow?> FindAsync(GatewayDb db, Guid workspace, string id, bool isTracked, CancellationToken cancel)
    {
        var rows = Rows(db, workspace);
        return await (isTracked ? rows : rows.AsNoTracking())
            .SingleOrDefaultAsync(r => EF.Property<string>(r, IdProperty) == id, cancel);
    }

    public override async Task<IReadOnlyList<IConfigRow>> PageAsync(
        GatewayDb db, Guid workspace, string? after, int most, CancellationToken cancel)
    {
        var rows = Rows(db, workspace).AsNoTracking();
        if (after is not null)
        {
            rows = rows.Where(r => string.Compare(EF.Functions.Collate(EF.Property<string>(r, IdProperty), ByCodePoint), after) > 0);
        }

        return await rows.OrderBy(r => EF.Functions.Collate(EF.Property<string>(r, IdProperty), ByCodePoint)).Take(most).ToListAsync(cancel);
    }
}
