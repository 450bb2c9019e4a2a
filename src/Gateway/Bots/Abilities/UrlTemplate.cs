using System.Text;

namespace Gateway.Bots.Abilities;

/// <summary>An ability's URL. Values are encoded for where they stand, and never change which place or which path it is.</summary>
internal sealed class UrlTemplate
{
    private readonly string _origin;
    private readonly (Template Text, bool IsLiteral)[] _segments;
    private readonly (Template Pair, string Name, TemplatePart.Parameter? List)[] _query;

    public UrlTemplate(string text)
    {
        var (origin, path, query) = Split(text);
        _origin = origin;
        _segments = [.. path.Split('/').Select(Template.Read).Select(segment => (segment, segment.IsLiteral))];
        _query = [.. (query.Length == 0 ? [] : query.Split('&')).Select(ReadPair)];
    }

    public IEnumerable<Template> Templates => _segments.Select(s => s.Text).Concat(_query.Select(q => q.Pair));

    /// <summary>Scheme and host with its port; the path from its slash; the query without its question mark. A fragment is left out.</summary>
    public static (string Origin, string Path, string Query) Split(string text)
    {
        text = text.Split('#', 2)[0];
        var authority = text.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0 ? scheme + 3 : 0;
        var end = text.AsSpan(authority).IndexOfAny('/', '?') is var at and >= 0 ? authority + at : text.Length;
        var query = text.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? (text[..end], text[end..], "") : (text[..end], text[end..query], text[(query + 1)..]);
    }

    /// <exception cref="AbilityException">An argument is missing or does not fit where it stands.</exception>
    public string Fill(TemplateValues values)
    {
        var url = new StringBuilder(_origin).AppendJoin('/', _segments.Select(segment => Segment(segment.Text, segment.IsLiteral, values)));
        var separator = '?';
        foreach (var pair in _query.SelectMany(pair => Pairs(pair.Pair, pair.Name, pair.List, values)))
        {
            url.Append(separator).Append(pair);
            separator = '&';
        }

        return url.ToString();
    }

    private static string Segment(Template template, bool isLiteral, TemplateValues values)
    {
        var text = template.Fill(values, Uri.EscapeDataString);
        if (isLiteral)
        {
            return text!;
        }

        var needs = string.Join(", ", template.Parts.OfType<TemplatePart.Parameter>().Select(p => $"'{p.Name}'"));
        // An empty part or dots would make it another path: a list in place of an object, or its parent.
        return text is null ? throw new AbilityException($"{needs} must be given.")
            : text is "" or "." or ".." ? throw new AbilityException($"{needs} can be neither empty nor dots alone.")
            : text;
    }

    /// <summary>None where an argument was not given, several where it is a list.</summary>
    private static IEnumerable<string> Pairs(Template pair, string name, TemplatePart.Parameter? list, TemplateValues values)
    {
        if (list is not null && values.Value(list.Name) is { ValueKind: System.Text.Json.JsonValueKind.Array } items)
        {
            return items.EnumerateArray().Select(item => $"{name}={Uri.EscapeDataString(TemplateValues.TextOf(item))}");
        }

        return pair.Fill(values, Uri.EscapeDataString) is { } text ? [text] : [];
    }

    private static (Template, string, TemplatePart.Parameter?) ReadPair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var value = equals < 0 ? null : Template.Read(text[(equals + 1)..]).Alone;
        return (Template.Read(text), equals < 0 ? text : text[..equals], value);
    }
}
