using System.Text;

namespace Gateway.Admin.File;

/// <summary>
/// A scalar with its <c>${VARIABLE}</c>s and <c>${VARIABLE:-otherwise}</c>s filled in. That happens after the YAML was read, so that quotes, colons and
/// line breaks in a value are only text.
/// </summary>
/// <param name="Value">What it stands for.</param>
/// <param name="Source">What the file says: errors show this, because the environment is where credentials are.</param>
/// <param name="Problem">Not null: it could not be filled in, and why.</param>
internal sealed record EnvironmentText(string Value, string Source, string? Problem)
{
    public bool HasVariables => !ReferenceEquals(Value, Source);

    public static EnvironmentText Expand(string source, Func<string, string?> environment)
    {
        if (!source.Contains("${", StringComparison.Ordinal))
        {
            return new EnvironmentText(source, source, null);
        }

        var value = new StringBuilder();
        var at = 0;
        while (source.IndexOf("${", at, StringComparison.Ordinal) is >= 0 and var open)
        {
            // `$${` is a `${` that stays.
            if (open > at && source[open - 1] == '$')
            {
                value.Append(source, at, open - 1 - at).Append("${");
                at = open + 2;
                continue;
            }

            var close = source.IndexOf('}', open);
            var inside = close < 0 ? "" : source[(open + 2)..close];
            var split = inside.IndexOf(":-", StringComparison.Ordinal);
            var name = split < 0 ? inside : inside[..split];
            if (!IsName(name))
            {
                return new EnvironmentText(
                    "", source, "expected '${NAME}' or '${NAME:-otherwise}' with letters, digits and '_' in the name; write '$${' for a '${' that stays");
            }

            // As in shells and compose files, a variable that is empty counts as one that is not set.
            var found = environment(name) is { } set && (set.Length > 0 || split < 0) ? set : split < 0 ? null : inside[(split + 2)..];
            if (found is null)
            {
                return new EnvironmentText("", source, $"the environment variable '{name}' is not set");
            }

            if (!YamlScalars.IsStorable(found))
            {
                return new EnvironmentText("", source, $"the environment variable '{name}' does not hold UTF-8 text");
            }

            value.Append(source, at, open - at).Append(found);
            at = close + 1;
        }

        return new EnvironmentText(value.Append(source, at, source.Length - at).ToString(), source, null);
    }

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
