using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace ChatKit.Tests.Support;

/// <summary>The messages of <c>tests/Contracts/chatkit-schema-samples.json</c>: which must follow the schema, and which must not.</summary>
internal static class Samples
{
    private static readonly JsonObject File = JsonNode.Parse(
        System.IO.File.ReadAllText(Repository.PathOf("tests", "Contracts", "chatkit-schema-samples.json")))!.AsObject();

    /// <summary>Number, definition, message.</summary>
    public static TheoryData<int, string, string> Valid => Rows("pass");

    /// <summary>Number, definition, message.</summary>
    public static TheoryData<int, string, string> Invalid => Rows("fail");

    /// <summary>Valid requests.</summary>
    public static IEnumerable<JsonObject> Requests =>
        File["pass"]!.AsArray().Where(sample => (string?)sample!["def"] == "Request").Select(sample => sample!["message"]!.AsObject());

    /// <summary>Invalid requests: why, message.</summary>
    public static IEnumerable<(string Why, string Message)> InvalidRequests =>
        File["fail"]!.AsArray().Where(sample => (string?)sample!["def"] == "Request")
            .Select(sample => ((string)sample!["why"]!, sample["message"]!.ToJsonString()));

    private static TheoryData<int, string, string> Rows(string part)
    {
        var rows = new TheoryData<int, string, string>();
        foreach (var (index, sample) in File[part]!.AsArray().Index())
        {
            rows.Add(index, (string)sample!["def"]!, sample["message"]!.ToJsonString());
        }

        return rows;
    }
}
