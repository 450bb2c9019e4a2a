using System.Text.Json;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>What an apply changes, one line for each object: names and fields, never a value.</summary>
internal sealed class ApplyChanges
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public void Added(string kind, string name) => _lines.Add($"+ {kind} {name}");

    public void Removed(string kind, string name) => _lines.Add($"- {kind} {name}");

    /// <summary>Says what an edit changed, if it changed anything.</summary>
    public void Changed(string kind, string name, ApplyEdit edit)
    {
        if (edit.Fields.Count > 0)
        {
            _lines.Add($"~ {kind} {name} ({string.Join(", ", edit.Fields)})");
        }
    }
}

/// <summary>
/// Assigns what differs and nothing else: a row that is assigned its own value would count as changed, and every change
/// is a new configuration version that all gateways read.
/// </summary>
internal sealed class ApplyEdit
{
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

    /// <summary>What an object of the API becomes when the file names it.</summary>
    public void Adopt(ManagedBy current, ManagedBy wanted, Action<ManagedBy> assign) =>
        Set("now managed by the file", current, wanted, assign);
}
