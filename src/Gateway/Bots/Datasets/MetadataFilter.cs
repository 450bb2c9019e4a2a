using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Data;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// Which records a search is about, by their metadata: <c>{"year":{"$gte":2020},"tag":"a"}</c>, all of which must hold. A plain
/// value means <c>$eq</c>; of a list in the metadata one item must be equal. Values travel as parameters.
/// </summary>
internal sealed class MetadataFilter
{
    public const string Operators = "$eq, $ne, $gt, $gte, $lt, $lte, $in";

    private const int MostConditions = 16;
    private const int MostValues = 100;
    private const int LongestText = 1_000;

    private readonly List<(string Name, string Value)> _parameters = [];
    private readonly StringBuilder _sql = new();
    private int _conditions;

    private MetadataFilter()
    {
    }

    /// <summary>Conditions of a query that has the record as <c>fr</c>, each begun with <c>AND</c>.</summary>
    public string Sql => _sql.ToString();

    /// <summary>What a query needs for a filter: the record of a chunk, as <c>fr</c>.</summary>
    /// <param name="chunk">The chunk's id, as SQL.</param>
    public static string Join(MetadataFilter? filter, string chunk) => filter is null ? "" :
        $"""
        JOIN chunks fc ON fc.workspace_id = @ws AND fc.dataset_id = @ds AND fc.id = {chunk}
        JOIN records fr ON fr.workspace_id = @ws AND fr.dataset_id = @ds AND fr.id = fc.record_id
        """;

    public void Bind(NpgsqlCommand command)
    {
        foreach (var (name, value) in _parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }
    }

    /// <summary>Reads a filter.</summary>
    /// <param name="error">What is wrong, for whoever wrote it.</param>
    /// <returns>Null when it is wrong, or says nothing.</returns>
    public static MetadataFilter? Read(JsonElement json, out string? error)
    {
        error = null;
        var filter = new MetadataFilter();
        if (json.ValueKind != JsonValueKind.Object)
        {
            error = json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : "expected an object such as {\"year\":{\"$gte\":2020}}.";
            return null;
        }

        if (!StorableJson.Is(json))
        {
            error = $"expected names and values {StorableJson.Otherwise}.";
            return null;
        }

        foreach (var member in json.EnumerateObject())
        {
            error ??= member.Value.ValueKind == JsonValueKind.Object
                ? filter.AddAll(member.Name, member.Value)
                : filter.Add(member.Name, "$eq", member.Value);
        }

        return error is null && filter._conditions > 0 ? filter : null;
    }

    private string? AddAll(string name, JsonElement conditions)
    {
        string? error = null;
        foreach (var condition in conditions.EnumerateObject())
        {
            error ??= Add(name, condition.Name, condition.Value);
        }

        return error;
    }

    private string? Add(string name, string operation, JsonElement value)
    {
        if (++_conditions > MostConditions)
        {
            return $"expected at most {MostConditions} conditions.";
        }

        if (name.Length is 0 or > 200 || name.Any(char.IsControl))
        {
            return "a name in it is empty, too long or no text.";
        }

        var field = $"(fr.metadata -> {Parameter(name)})";
        switch (operation)
        {
            case "$eq" when IsScalar(value):
                _sql.Append(CultureInfo.InvariantCulture, $" AND coalesce({field} @> {Parameter(value.GetRawText())}::jsonb, false)");
                return null;
            case "$ne" when IsScalar(value):
                _sql.Append(CultureInfo.InvariantCulture, $" AND NOT coalesce({field} @> {Parameter(value.GetRawText())}::jsonb, false)");
                return null;
            case "$gt" or "$gte" or "$lt" or "$lte" when value.ValueKind is JsonValueKind.Number or JsonValueKind.String && IsScalar(value):
                var sign = operation switch { "$gt" => ">", "$gte" => ">=", "$lt" => "<", _ => "<=" };
                var bound = $"{Parameter(value.GetRawText())}::jsonb";
                // Of different kinds, such as a number and a text, none is greater.
                _sql.Append(CultureInfo.InvariantCulture, $" AND coalesce(jsonb_typeof({field}) = jsonb_typeof({bound}) AND {field} {sign} {bound}, false)");
                return null;
            case "$in" when value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MostValues && value.EnumerateArray().All(IsScalar):
                _sql.Append(CultureInfo.InvariantCulture, $" AND EXISTS (SELECT 1 FROM jsonb_array_elements({Parameter(value.GetRawText())}::jsonb) AS o(v) WHERE {field} @> o.v)");
                return null;
            default:
                var named = operation.Length <= 20 ? operation : "…";
                return $"'{named}' is none of {Operators}, or its value is of the wrong kind: a string, number or boolean, "
                    + $"for $in an array of at most {MostValues}, for comparisons a number or string.";
        }
    }

    private string Parameter(string value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"filter{_parameters.Count}");
        _parameters.Add((name, value));
        return "@" + name;
    }

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
        && value.GetRawText().Length <= LongestText;
}
