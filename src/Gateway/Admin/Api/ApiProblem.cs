using System.Text.RegularExpressions;
using Gateway.Admin.File;
using Gateway.Http;

namespace Gateway.Admin.Api;

/// <summary>What the file's rules say, as a refusal in the API's words.</summary>
internal static partial class ApiProblem
{
    private const int MostNamed = 3;

    /// <param name="errors">At least one.</param>
    /// <param name="place">Where the object stood in the tree that was read; paths in the refusal begin below it.</param>
    public static ApiError Of(IReadOnlyList<FileError> errors, string place)
    {
        var first = errors[0];
        var others = errors.Skip(1).Select(e => Param(e.Path, place)).Where(p => p.Length > 0 && p != Param(first.Path, place))
            .Distinct().Take(MostNamed).ToList();
        var message = ApiShape.Words(first.Message).TrimEnd('.')
            + (others.Count > 0 ? $"; also wrong: {string.Join(", ", others)}." : ".");
        var param = Param(first.Path, place);
        return Missing().Match(message) is { Success: true } missing
            ? ApiError.MissingParameter(param.Length == 0 ? missing.Groups["name"].Value : $"{param}.{missing.Groups["name"].Value}")
            : param.Length == 0 ? ApiError.InvalidObject(message) : ApiError.InvalidValue(param, message);
    }

    private static string Param(string path, string place) =>
        path.StartsWith(place, StringComparison.Ordinal) ? path[place.Length..].TrimStart('.') : "";

    [GeneratedRegex("^the field '(?<name>[a-z_]+)' is missing", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Missing();
}
