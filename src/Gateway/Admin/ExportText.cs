using System.Globalization;
using System.Text;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>The YAML as it grows, and how values are written in it.</summary>
internal sealed class ExportText
{
    private readonly StringBuilder _yaml = new();

    public override string ToString() => _yaml.Length == 0 ? "{}\n" : _yaml.ToString();

    /// <summary>A whole line.</summary>
    public void Line(int indent, string text) => _yaml.Append(' ', indent).Append(text).Append('\n');

    public void List<T>(int indent, string name, IEnumerable<T> items, Action<T> write)
    {
        var isFirst = true;
        foreach (var item in items)
        {
            if (isFirst)
            {
                _yaml.Append(' ', indent).Append(name).Append(":\n");
            }

            write(item);
            isFirst = false;
        }
    }

    /// <summary>An item's fields, the first of which is always there.</summary>
    public void Item(int indent, params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        _yaml.Append(' ', indent).Append("- ").Append(fields[0].Name).Append(": ").Append(fields[0].Value).Append('\n');
        Fields(indent + 2, fields[1..]);
    }

    public void Fields(int indent, params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        foreach (var (name, value) in fields)
        {
            if (value is not null)
            {
                _yaml.Append(' ', indent).Append(name).Append(": ").Append(value).Append('\n');
            }
        }
    }

    /// <summary>Null when no field has a value.</summary>
    public static string? Map(params (string Name, string? Value)[] fields) =>
        fields.Where(f => f.Value is not null).Select(f => $"{f.Name}: {f.Value}").ToList() is { Count: > 0 } said
            ? $"{{ {string.Join(", ", said)} }}"
            : null;

    public static string? Texts(string[] texts) => texts.Length == 0 ? null : $"[{string.Join(", ", texts.Select(YamlQuote.Scalar))}]";

    /// <param name="more">Those that only some objects have.</param>
    public static string? LimitsOf(LimitColumns columns, params (string Name, string? Value)[] more) => Map(
        [
            ("rpm", Number(columns.Rpm)), ("tpm", Number(columns.Tpm)), ("concurrent", Number(columns.Concurrent)),
            ("budget", LimitValues.From(columns)?.Budget is { } budget ? FileBudget.Format(budget) : null), .. more,
        ]);

    public static string? Number(decimal? number) => number?.ToString(CultureInfo.InvariantCulture);

    public static string? Unless(int usual, int value) => value == usual ? null : Number(value);

    public static string? Unless(TimeSpan usual, int milliseconds) =>
        TimeSpan.FromMilliseconds(milliseconds) is var time && time == usual ? null : FileDuration.Format(time);

    /// <summary>Null for what the file manages, which it need not say.</summary>
    public static string? Manager(ManagedBy managed) => managed == ManagedBy.Api ? FileTexts.Api : null;
}
