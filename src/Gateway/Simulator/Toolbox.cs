using System.Globalization;
using System.Text.Json;

namespace Gateway.Simulator;

/// <param name="Parameters">Its JSON Schema. Null: it takes none.</param>
/// <param name="IsCustom">Takes free text instead of JSON.</param>
internal sealed record Tool(string Name, string Description, JsonElement? Parameters, bool IsCustom);

/// <summary>The tools that a request offers, and what it says about their use.</summary>
internal sealed class Toolbox
{
    private Toolbox(List<Tool> tools, bool isLegacy, bool isParallel, int tokens)
    {
        Offered = tools;
        IsLegacy = isLegacy;
        IsParallel = isParallel;
        Tokens = tokens;
    }

    /// <summary>Those that may be called now; none with <c>tool_choice: "none"</c>, one where one is named.</summary>
    public List<Tool> Offered { get; private set; }

    /// <summary>One of <see cref="Offered"/> has to be called.</summary>
    public bool IsRequired { get; private set; }

    /// <summary>Asked by <c>functions</c>, so answered by <c>function_call</c>.</summary>
    public bool IsLegacy { get; }

    public bool IsParallel { get; }

    /// <summary>What their descriptions cost of the prompt.</summary>
    public int Tokens { get; }

    public static Toolbox Read(JsonElement body)
    {
        var tools = ReadTools(body);
        var functions = ReadFunctions(body);
        var isLegacy = tools.Count == 0 && functions.Count > 0;
        var isParallel = !isLegacy && (body.Member("parallel_tool_calls") is null || body.Flag("parallel_tool_calls"));
        var tokens = Cost(body, "tools") + Cost(body, "functions");
        var box = new Toolbox(isLegacy ? functions : tools, isLegacy, isParallel, tokens);
        var name = isLegacy ? "function_call" : "tool_choice";
        if (body.Member(name) is { } choice)
        {
            box.Choose(choice, name);
        }

        return box;
    }

    private void Choose(JsonElement choice, string field)
    {
        if (choice.ValueKind == JsonValueKind.String)
        {
            switch (choice.GetString())
            {
                case "auto":
                    return;
                case "none":
                    Offered = [];
                    return;
                case "required" when !IsLegacy:
                    IsRequired = Offered.Count > 0
                        ? true
                        : throw RefusalException.WrongValue(field, "'required' is only allowed when 'tools' are specified.");
                    return;
                case var other:
                    throw RefusalException.WrongValue(field, $"'{other}'. Supported values are: none, auto, required.");
            }
        }

        if (choice.ValueKind != JsonValueKind.Object)
        {
            throw RefusalException.WrongType(field, "a string or an object", choice.ValueKind);
        }

        if (IsLegacy)
        {
            Keep([choice.RequiredText("name", "function_call.")], field);
            IsRequired = true;
            return;
        }

        var type = choice.RequiredText("type", "tool_choice.");
        if (type == "allowed_tools")
        {
            Allow(choice.Object(type, "tool_choice.")
                ?? throw RefusalException.Missing("tool_choice.allowed_tools"), field);
            return;
        }

        Keep([NameIn(choice, type, "tool_choice.")], field);
        IsRequired = true;
    }

    private void Allow(JsonElement allowed, string field)
    {
        const string Path = "tool_choice.allowed_tools.";
        var names = new List<string>();
        foreach (var tool in (allowed.Array("tools", Path) ?? throw RefusalException.Missing(Path + "tools")).EnumerateArray())
        {
            names.Add(NameIn(tool.AsObject(Path + "tools[]"), tool.RequiredText("type", Path + "tools[]."), Path + "tools[]."));
        }

        Keep(names, field);
        IsRequired = allowed.Text("mode", Path) == "required";
    }

    private void Keep(List<string> names, string field)
    {
        foreach (var name in names)
        {
            if (!Offered.Exists(tool => tool.Name == name))
            {
                throw RefusalException.WrongValue(field, $"there is no tool '{name}' in 'tools'.");
            }
        }

        Offered = Offered.FindAll(tool => names.Contains(tool.Name));
    }

    private static List<Tool> ReadTools(JsonElement body)
    {
        var tools = new List<Tool>();
        if (body.Array("tools") is not { } sent)
        {
            return tools;
        }

        foreach (var tool in sent.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"tools[{tools.Count}]");
            var type = tool.AsObject(path).RequiredText("type", path + ".");
            if (type is not ("function" or "custom"))
            {
                throw RefusalException.WrongValue(path + ".type", $"'{type}'. Supported values are: function, custom.");
            }

            var inner = tool.Object(type, path + ".") ?? throw RefusalException.Missing($"{path}.{type}");
            tools.Add(ReadOne(inner, $"{path}.{type}.", type == "custom"));
        }

        return tools;
    }

    private static List<Tool> ReadFunctions(JsonElement body)
    {
        var functions = new List<Tool>();
        if (body.Array("functions") is { } sent)
        {
            foreach (var function in sent.EnumerateArray())
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"functions[{functions.Count}]");
                functions.Add(ReadOne(function.AsObject(path), path + ".", isCustom: false));
            }
        }

        return functions;
    }

    private static Tool ReadOne(JsonElement tool, string path, bool isCustom)
    {
        var name = tool.RequiredText("name", path);
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw RefusalException.WrongValue(path + "name", "expected 1 to 64 of a-z, A-Z, 0-9, underscores and dashes.");
        }

        return new Tool(name, tool.Text("description", path) ?? "", tool.Object("parameters", path), isCustom);
    }

    private static string NameIn(JsonElement owner, string type, string path) =>
        (owner.Object(type, path)
            ?? throw RefusalException.Missing(path + type)).RequiredText("name", $"{path}{type}.");

    private static int Cost(JsonElement body, string name) => body.Member(name) is { } tools
        ? Words.Count(tools.GetRawText())
        : 0;
}
