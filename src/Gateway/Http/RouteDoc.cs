namespace Gateway.Http;

/// <summary>What a route does with a kind of object.</summary>
internal enum RouteVerb
{
    /// <summary>Something else; its reply has no object of a kind.</summary>
    Other,
    List,
    Get,
    Create,
    Change,
    Delete,
}

/// <summary>Endpoint metadata: what <c>/admin/v1/openapi.json</c> says of a route besides its path and method.</summary>
/// <param name="Summary">One sentence.</param>
internal sealed record RouteDoc(string Summary)
{
    /// <summary>The kind of object that it is about, such as <c>bot</c>; null: none.</summary>
    public string? Kind { get; init; }

    public RouteVerb Verb { get; init; }

    /// <summary>The global admin key names a workspace in <c>?workspace=</c>.</summary>
    public bool IsOwned { get; init; }

    /// <summary>A list that comes without pages.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The reply has an ETag, where the verb does not say so already.</summary>
    public bool TellsVersion { get; init; }

    /// <summary>If-Match is looked at, where the verb does not say so already.</summary>
    public bool TakesVersion { get; init; }

    /// <summary>Parameters in the query, besides those that the verb brings.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>The media type of the request's body; null: none, or what the verb takes.</summary>
    public string? Takes { get; init; }

    /// <summary>The media type of the reply.</summary>
    public string Gives { get; init; } = "application/json";
}
