using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.ChatKit.Sessions;

/// <summary>What a session allows besides its bot, its user and its rate. Kept as JSON with the session.</summary>
internal sealed record SessionOptions
{
    /// <summary>Whether threads get a title of the bot's model after the first exchange.</summary>
    public bool Titles { get; init; } = true;

    public bool Files { get; init; }

    /// <summary>Most files of the whole session.</summary>
    public int MostFiles { get; init; } = 10;

    /// <summary>Largest file, in mebibytes.</summary>
    public int MostFileMegabytes { get; init; } = 512;

    /// <summary>Whether the user's earlier threads can be listed and opened.</summary>
    public bool History { get; init; } = true;

    /// <summary>How many of them, the newest first; null: all.</summary>
    public int? RecentThreads { get; init; }

    /// <summary>Origins of pages that may use the session; empty: any that the gateway answers.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Selectors that a message may ask for in the bot's place, exact or ending in <c>*</c>; empty: none.</summary>
    public IReadOnlyList<string> AllowedModels { get; init; } = [];

    /// <summary>What the page's server tells the bot about this user: texts, numbers and booleans by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> StateVariables { get; init; } = new Dictionary<string, JsonElement>();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SessionOptions))]
internal sealed partial class SessionJson : JsonSerializerContext;
