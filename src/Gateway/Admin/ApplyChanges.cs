using System.Text.Json;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>One object that is changed: names and fields, never a value.</summary>
/// <param name="Action">As the audit log has it.</param>
/// <param name="Workspace">The name of its owner; null for what belongs to no workspace. A workspace is its own.</param>
internal sealed record ApplyChange(string Action, string Kind, string? Workspace, string Subject, IReadOnlyList<string> Fields)
{
    public const string Created = "created";
    public const string Updated = "updated";
    public const string Deleted = "deleted";

    public override string ToString()
    {
        var name = Workspace is null || Kind == "workspace" ? Subject : $"{Workspace}/{Subject}";
        return Action switch
        {
            Created => $"+ {Kind} {name}",
            Deleted => $"- {Kind} {name}",
            _ => $"~ {Kind} {name} ({string.Join(", ", Fields)})",
        };
    }
}

/// <summary>What an apply changes, one line for each object.</summary>
internal sealed class ApplyChanges
{
    private static readonly string[] OfWorkspaces = ["secret", "dataset", "skillset", "bot", "key"];

    private readonly List<ApplyChange> _all = [];

    public IReadOnlyList<ApplyChange> All => _all;

    public IReadOnlyList<string> Lines => [.. _all.Select(c => c.ToString())];

    /// <param name="name">Behind its workspace's and a slash, for what a workspace owns.</param>
    public void Added(string kind, string name) => Add(ApplyChange.Created, kind, name, []);

    /// <inheritdoc cref="Added"/>
    public void Removed(string kind, string name) => Add(ApplyChange.Deleted, kind, name, []);

    /// <summary>Says what an edit changed, if it changed anything.</summary>
    /// <inheritdoc cref="Added"/>
    public void Changed(string kind, string name, ApplyEdit edit)
    {
        if (edit.Fields.Count > 0)
        {
            Add(ApplyChange.Updated, kind, name, edit.Fields);
        }
    }

    private void Add(string action, string kind, string name, IReadOnlyList<string> fields)
    {
        // A workspace's name holds no slash; a model's may.
        var slash = OfWorkspaces.Contains(kind) ? name.IndexOf('/', StringComparison.Ordinal) : -1;
        _all.Add(new ApplyChange(
            action, kind, slash >= 0 ? name[..slash] : kind == "workspace" ? name : null, name[(slash + 1)..], fields));
    }
}

/// <summary>
/// Assigns what differs and nothing else: a row that is assigned its own value would count as changed, and every change
/// is a new configuration version that all gateways read.
/// </summary>
internal sealed class ApplyEdit
{
    /// <summary>Said in place of a field when an object of the API becomes the file's.</summary>
    public const string Adopted = "now managed by the file";

    /// <summary>Said when the file leaves an object of its own to the API.</summary>
    public const string HandedOver = "now managed by the API";

    private readonly List<string> _fields = [];

    /// <summary>The fields that differed, as the file calls them.</summary>
    public IReadOnlyList<string> Fields => _fields;

    public void Set<T>(string field, T current, T wanted, Action<T> assign)
    {
        if (!EqualityComparer<T>.Default.Equals(current, wanted))
        {
            Assign(field, wanted, assign);
        }
    }

    public void SetList(string field, string[] current, IReadOnlyList<string> wanted, Action<string[]> assign)
    {
        if (!current.SequenceEqual(wanted, StringComparer.Ordinal))
        {
            Assign(field, wanted.ToArray(), assign);
        }
    }

    /// <summary>The database keeps JSON in a form of its own: other spaces, order and spelling of numbers.</summary>
    public void SetJson(string field, string current, string wanted, Action<string> assign)
    {
        using var first = JsonDocument.Parse(current);
        using var second = JsonDocument.Parse(wanted);
        if (!JsonElement.DeepEquals(first.RootElement, second.RootElement))
        {
            Assign(field, wanted, assign);
        }
    }

    public void SetLimits(LimitColumns current, LimitValues? wanted) =>
        Set("limits", LimitValues.From(current), wanted, current.Set);

    public void Assign<T>(string field, T wanted, Action<T> assign)
    {
        assign(wanted);
        if (!_fields.Contains(field))
        {
            _fields.Add(field);
        }
    }

    /// <summary>What an object of the API becomes when the file names it, or one of the file when it says so.</summary>
    public void Adopt(ManagedBy current, ManagedBy wanted, Action<ManagedBy> assign) =>
        Set(wanted == ManagedBy.File ? Adopted : HandedOver, current, wanted, assign);
}
