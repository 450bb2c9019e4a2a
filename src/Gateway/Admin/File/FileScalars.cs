using System.Globalization;
using System.Text.Json;
using Gateway.Data;

namespace Gateway.Admin.File;

/// <summary>Reads single values: fills in the environment, decides what kind of value it is, and checks it.</summary>
/// <param name="environment">Null: a <c>${</c> is text like any other.</param>
internal sealed class FileScalars(Func<string, string?>? environment, List<FileError> errors)
{
    /// <summary>The value as its shape holds it, or null with an error reported.</summary>
    public object? Read(YamlNode node, FileShape shape, FilePlace at)
    {
        var expected = Expected(shape);
        if (node is not YamlScalar scalar)
        {
            errors.Add(at.Error($"expected {expected}, got {Describe(node)}"));
            return null;
        }

        if (Expand(scalar, at) is not { } text)
        {
            return null;
        }

        // `{ retries: "${N}" }` can only be written in quotes, so what the environment gave is judged without them.
        var kind = scalar.IsPlain || text.HasVariables ? YamlScalars.KindOf(text.Value) : ScalarKind.Text;
        var problem = shape switch
        {
            FileShape.Text want => TextProblem(scalar, text, want),
            FileShape.Address => text.Value.Length > 2_000 || Address(text.Value) is null ? expected : null,
            FileShape.Number want => Number(text.Value, kind) is { } number && IsWithin(number, want) ? null : expected,
            FileShape.Flag => kind == ScalarKind.Bool ? null : expected,
            FileShape.Duration want =>
                FileDuration.Parse(text.Value) is { } time && time >= want.Min && time <= want.Max ? null : expected,
            FileShape.Budget => FileBudget.Parse(text.Value) is null ? expected : null,
            FileShape.Money => FileBudget.ParseMoney(text.Value) is null ? expected : null,
            _ => throw new InvalidOperationException($"{shape} is no single value."),
        };

        if (problem is not null)
        {
            // A credential that was written into an address would stand in the log.
            var isSecret = shape is FileShape.Text { IsSecret: true }
                || (shape is FileShape.Address && text.Value.AsSpan().ContainsAny('@', '?', '#'));
            var got = isSecret ? "" : $", got {Describe(scalar)}{Unquote(scalar, shape)}";
            var empty = text.HasVariables && text.Value.Length == 0 ? " (the environment variable is empty)" : "";
            errors.Add(at.Error($"expected {problem}{got}{empty}"));
            return null;
        }

        return shape switch
        {
            FileShape.Text { IsSecret: true } => new Secret(text.Value),
            FileShape.Address => Address(text.Value),
            FileShape.Number => Number(text.Value, kind),
            FileShape.Flag => text.Value[0] is 't' or 'T',
            FileShape.Duration => FileDuration.Parse(text.Value),
            FileShape.Budget => FileBudget.Parse(text.Value),
            FileShape.Money => FileBudget.ParseMoney(text.Value),
            _ => text.Value,
        };
    }

    /// <summary>Writes the value as JSON; where an error is reported, a null, so that the walk can go on.</summary>
    public void WriteJson(Utf8JsonWriter json, YamlScalar scalar, FilePlace at)
    {
        var text = Expand(scalar, at);
        var kind = text is null ? ScalarKind.Null : scalar.IsPlain ? YamlScalars.KindOf(text.Value) : ScalarKind.Text;
        switch (kind)
        {
            case ScalarKind.Null:
                json.WriteNullValue();
                break;
            case ScalarKind.Bool:
                json.WriteBooleanValue(text!.Value[0] is 't' or 'T');
                break;
            case ScalarKind.Number when YamlScalars.ToJsonNumber(text!.Value) is { } number:
                json.WriteRawValue(number);
                break;
            case ScalarKind.Number:
                errors.Add(at.Error($"expected a number that JSON can hold, got {Describe(scalar)}"));
                json.WriteNullValue();
                break;
            default:
                json.WriteStringValue(text!.Value);
                break;
        }
    }

    /// <summary>Null when the text is what the shape wants, else what was expected.</summary>
    public static string? Mismatch(string text, FileShape.Text shape) => text switch
    {
        "" => shape.MayBeEmpty ? null : $"{shape.Expected}, not empty",
        _ when text.Length > shape.MaxLength => $"{shape.Expected} of at most {shape.MaxLength} characters",
        _ when text.Any(c => char.IsControl(c) && !(shape.HasLines && c is '\n' or '\r' or '\t')) =>
            $"{shape.Expected} without control characters{(shape.HasLines ? "" : " and line breaks")}",
        _ when shape.Matcher?.IsMatch(text) == false || shape.OneOf?.Contains(text) == false => Expected(shape),
        _ => null,
    };

    /// <summary>What stands in the file, as the file says it: never what the environment filled in.</summary>
    public static string Describe(YamlNode node) => node switch
    {
        YamlList => "a list",
        YamlMap => "a map of fields",
        YamlScalar { IsPlain: false, Text: "" } => "an empty text",
        YamlScalar { IsPlain: true } plain when YamlScalars.KindOf(plain.Text) == ScalarKind.Null => "nothing",
        YamlScalar { IsPlain: true } plain when YamlScalars.KindOf(plain.Text) == ScalarKind.Number =>
            $"the number {FileWords.Quote(plain.Text).Trim('\'')}",
        YamlScalar { IsPlain: true } plain when YamlScalars.KindOf(plain.Text) == ScalarKind.Bool => plain.Text,
        YamlScalar scalar => FileWords.Quote(scalar.Text),
        _ => "something else",
    };

    private EnvironmentText? Expand(YamlScalar scalar, FilePlace at)
    {
        var text = environment is null ? new EnvironmentText(scalar.Text, scalar.Text, null) : EnvironmentText.Expand(scalar.Text, environment);
        if (text.Problem is null)
        {
            return text;
        }

        errors.Add(at.Error(text.Problem));
        return null;
    }

    private static string? TextProblem(YamlScalar scalar, EnvironmentText text, FileShape.Text shape)
    {
        // What the file itself writes without quotes must not be a number by accident; a variable's value may be one.
        var kind = scalar.IsPlain && !text.HasVariables ? YamlScalars.KindOf(text.Value) : ScalarKind.Text;
        return kind switch
        {
            ScalarKind.Text => Mismatch(text.Value, shape),
            ScalarKind.Null => $"{Expected(shape)}; leave the field out if there is none",
            _ => $"{Expected(shape)}; put it in quotes",
        };
    }

    private static string Unquote(YamlScalar scalar, FileShape shape) =>
        !scalar.IsPlain &&
        shape is FileShape.Number or FileShape.Flag &&
        YamlScalars.KindOf(scalar.Text) != ScalarKind.Text
            ? " in quotes, which is text"
            : "";

    private static string Expected(FileShape shape) => shape switch
    {
        FileShape.Text { OneOf: { } allowed } => $"one of: {string.Join(", ", allowed)}",
        FileShape.Text text => text.Expected,
        FileShape.Address => "an address such as https://api.openai.com/v1, without a query or credentials",
        FileShape.Number { IsWhole: true } number => $"a whole number from {Show(number.Min)} to {Show(number.Max)}",
        FileShape.Number { IsAboveMin: true } number => $"a number above {Show(number.Min)}, up to {Show(number.Max)}",
        FileShape.Number number => $"a number from {Show(number.Min)} to {Show(number.Max)}",
        FileShape.Flag => "true or false",
        FileShape.Budget => FileBudget.Expected,
        FileShape.Money => FileBudget.MoneyExpected,
        FileShape.Duration time =>
            $"a duration such as 30s, from {FileDuration.Format(time.Min)} to {FileDuration.Format(time.Max)}",
        _ => throw new InvalidOperationException($"{shape} is no single value."),
    };

    private static string Show(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    private static decimal? Number(string text, ScalarKind kind) =>
        kind == ScalarKind.Number && YamlScalars.ToJsonNumber(text) is { } json &&
        decimal.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsWithin(decimal number, FileShape.Number shape) =>
        (shape.IsAboveMin ? number > shape.Min : number >= shape.Min) &&
        number <= shape.Max &&
        (!shape.IsWhole || number == decimal.Truncate(number));

    private static string? Address(string text) =>
        !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '?' or '#' or '\\') &&
        Uri.TryCreate(text, UriKind.Absolute, out var uri) &&
        (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) &&
        text.AsSpan(uri.Scheme.Length).StartsWith("://") &&
        uri.Host.Length > 0 && uri.UserInfo.Length == 0
            ? text.TrimEnd('/')
            : null;
}
