using System.Globalization;
using System.Text.Json;

namespace Gateway.Simulator;

/// <summary>Inputs that may be a text, several, one list of token numbers, or several.</summary>
internal static class TextInputs
{
    /// <summary>Token numbers become words of their own: "t17 t4".</summary>
    public static List<string> Read(JsonElement input, string name, int maxCount)
    {
        if (input.ValueKind == JsonValueKind.String)
        {
            return [input.GetString()!];
        }

        if (input.ValueKind != JsonValueKind.Array)
        {
            throw RefusalException.WrongType(name, "a string or an array", input.ValueKind);
        }

        var length = input.GetArrayLength();
        if (length == 0)
        {
            throw RefusalException.Invalid(name, $"Invalid '{name}': empty array.", "empty_array");
        }

        if (input[0].ValueKind == JsonValueKind.Number)
        {
            return [Tokens(input, name)];
        }

        if (length > maxCount)
        {
            throw RefusalException.Invalid(
                name,
                string.Create(CultureInfo.InvariantCulture, $"Invalid '{name}': array too long. Expected at most {maxCount}."),
                "array_above_max_length");
        }

        var texts = new List<string>(length);
        foreach (var each in input.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"{name}[{texts.Count}]");
            texts.Add(each.ValueKind switch
            {
                JsonValueKind.String => each.GetString()!,
                JsonValueKind.Array => Tokens(each, path),
                var other => throw RefusalException.WrongType(path, "a string or an array of token numbers", other),
            });
        }

        return texts;
    }

    private static string Tokens(JsonElement tokens, string path)
    {
        var words = new List<string>(tokens.GetArrayLength());
        foreach (var token in tokens.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Number || !token.TryGetInt32(out var number) || number < 0)
            {
                throw RefusalException.WrongType(path, "an array of token numbers", token.ValueKind);
            }

            words.Add(string.Create(CultureInfo.InvariantCulture, $"t{number}"));
        }

        return string.Join(' ', words);
    }
}
