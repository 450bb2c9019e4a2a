namespace Gateway.Admin.File;

/// <summary>Walks the tree along its shape and reports everything that differs, going on past each error.</summary>
/// <param name="environment">The value of a variable, or null when it is not set. None at all: variables are the file's alone,
/// and a <c>${</c> is text like any other.</param>
internal sealed class FileWalk(Func<string, string?>? environment, List<FileError> errors)
{
    private readonly FileScalars _scalars = new(environment, errors);

    /// <summary>Null when the node has not the shape; what is wrong inside an object or a list is left out.</summary>
    public FileValue? Read(YamlNode node, FileShape shape, FilePlace at) => shape switch
    {
        FileShape.Object o => Object(node, o, at),
        FileShape.List list => List(node, list, at),
        FileShape.TextMap map => TextMap(node, map, at),
        FileShape.Json json => Json(node, json, at),
        _ => _scalars.Read(node, shape, at) is { } content ? new FileValue(content, at) : null,
    };

    private FileValue? Object(YamlNode node, FileShape.Object shape, FilePlace at)
    {
        if (Members(node, at) is not { } members)
        {
            return null;
        }

        var fields = new Dictionary<string, FileValue>();
        foreach (var (name, value, place) in members)
        {
            var field = shape.Fields.FirstOrDefault(f => f.Name == name);
            if (field is null)
            {
                errors.Add(place.Error(Unknown(name, shape)));
            }
            else if (Read(value, field.Shape, place) is { } read)
            {
                fields[name] = read;
            }
        }

        foreach (var missing in shape.Fields.Where(f => f.IsRequired && members.All(m => m.Name != f.Name)))
        {
            errors.Add(at.Error($"the field '{missing.Name}' is missing: {missing.Description}"));
        }

        return new FileValue(fields, at);
    }

    private static string Unknown(string name, FileShape.Object shape)
    {
        var known = shape.Fields.Select(f => f.Name).ToList();
        var nearest = FileWords.Nearest(name, known) is { } meant ? $" (did you mean '{meant}'?)" : "";
        return name == "<<"
            ? "merge keys ('<<') are not part of YAML 1.2; write the fields out"
            : $"unknown field {FileWords.Quote(name)}; expected one of: {string.Join(", ", known)}{nearest}";
    }

    private FileValue? List(YamlNode node, FileShape.List shape, FilePlace at)
    {
        if (node is not YamlList list)
        {
            errors.Add(at.Error($"expected a list, got {FileScalars.Describe(node)}"));
            return null;
        }

        if (list.Items.Count == 0 && shape.EmptyAdvice is { } advice)
        {
            errors.Add(at.Error($"expected at least one item; {advice}"));
        }

        var items = new List<FileValue>();
        var seen = new Dictionary<string, int>();
        foreach (var (index, item) in list.Items.Index())
        {
            var place = at.Item(index, item.Line);
            if (Read(item, shape.Item, place) is { } read)
            {
                items.Add(read);
                RefuseTwin(read, shape, seen);
            }
        }

        return new FileValue(items, at);
    }

    private void RefuseTwin(FileValue item, FileShape.List shape, Dictionary<string, int> seen)
    {
        var identity = shape.UniqueBy switch
        {
            null => null,
            "" => item,
            var field => item[field],
        };

        if (identity?.Content is string text && !seen.TryAdd(text, identity.At.Line))
        {
            errors.Add(identity.At.Error($"{FileWords.Quote(text)} is here already, on line {seen[text]}"));
        }
    }

    private FileValue? TextMap(YamlNode node, FileShape.TextMap shape, FilePlace at)
    {
        if (Members(node, at) is not { } members)
        {
            return null;
        }

        var texts = new Dictionary<string, FileValue>(shape.Refused.Comparer);
        foreach (var (name, value, place) in members)
        {
            if (FileScalars.Mismatch(name, shape.Key) is { } mismatch)
            {
                errors.Add(place.Error($"expected {mismatch}, got {FileWords.Quote(name)}"));
            }
            else if (shape.Refused.Reasons.TryGetValue(name, out var reason))
            {
                errors.Add(place.Error($"{FileWords.Quote(name)} cannot be set here: {reason}"));
            }
            else if (_scalars.Read(value, shape.Value, place) is { } content &&
                !texts.TryAdd(name, new FileValue(content, place)))
            {
                errors.Add(place.Error($"{FileWords.Quote(name)} is here already, on line {texts[name].At.Line}"));
            }
        }

        return new FileValue(texts, at);
    }

    private FileValue? Json(YamlNode node, FileShape.Json shape, FilePlace at)
    {
        if (Members(node, at) is not { } members)
        {
            return null;
        }

        foreach (var (name, _, place) in members)
        {
            if (shape.Refused.Reasons.TryGetValue(name, out var reason))
            {
                errors.Add(place.Error($"{FileWords.Quote(name)} cannot be set here: {reason}"));
            }
        }

        var text = new FileJsonWriter(_scalars, Members).Write(members);
        return new FileValue(new FileJson(text, members.Select(m => m.Name).ToHashSet()), at);
    }

    // The entries of a map, each name once; null when it is no map.
    private List<FileMember>? Members(YamlNode node, FilePlace at)
    {
        if (node is not YamlMap map)
        {
            errors.Add(at.Error($"expected a map of fields, got {FileScalars.Describe(node)}"));
            return null;
        }

        var members = new Dictionary<string, FileMember>();
        foreach (var entry in map.Entries)
        {
            var place = at.Field(entry.Key, entry.Line);
            if (!members.TryAdd(entry.Key, new FileMember(entry.Key, entry.Value, place)))
            {
                errors.Add(place.Error($"the field is here already, on line {members[entry.Key].At.Line}"));
            }
        }

        return [.. members.Values];
    }
}

internal readonly record struct FileMember(string Name, YamlNode Value, FilePlace At);
