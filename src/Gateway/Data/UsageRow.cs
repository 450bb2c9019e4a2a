namespace Gateway.Data;

/// <summary>What one request used. Written once, from the journal; no row refers to it and it refers to none, so that it outlives what it names.</summary>
internal sealed class UsageRow
{
    public Guid WorkspaceId { get; set; }

    /// <summary>Ours, version 7; <see cref="RequestId"/> may be the caller's and is only a column.</summary>
    public Guid Id { get; set; }

    /// <summary>When the request began, UTC.</summary>
    public DateTime At { get; set; }

    public Guid KeyId { get; set; }
    public required string RequestId { get; set; }

    /// <summary>Such as <c>/v1/chat/completions</c>.</summary>
    public required string Route { get; set; }

    /// <summary>In its canonical form.</summary>
    public required string Selector { get; set; }

    public string? Bot { get; set; }

    /// <summary>Name of the model that answered, or was asked last; null when none was.</summary>
    public string? Model { get; set; }

    /// <summary>Provider and model there, such as <c>openai/gpt-4o</c>, that answered or was asked last.</summary>
    public string? Deployment { get; set; }

    /// <summary>HTTP status that the caller got; 0 when it left before any.</summary>
    public int Status { get; set; }

    /// <summary><c>done</c>, <c>rescued</c>, <c>upstream_cut</c> behind a whole answer, <c>caller_left</c>, <c>lost</c>, <c>shutdown</c>, or an error's code.</summary>
    public required string EndReason { get; set; }

    public bool IsStream { get; set; }

    /// <summary>Whether some of the tokens were not reported by an upstream but estimated.</summary>
    public bool IsEstimated { get; set; }

    public long InputTokens { get; set; }

    /// <summary>Those of the input that the upstream had cached.</summary>
    public long CachedInputTokens { get; set; }

    public long OutputTokens { get; set; }

    /// <summary>Those of the output that were reasoning.</summary>
    public long ReasoningTokens { get; set; }

    /// <summary>Null when the price of some of the tokens is unknown.</summary>
    public decimal? Usd { get; set; }

    /// <summary>From the request to the first content sent to the caller; null when there was none.</summary>
    public double? FirstContentMs { get; set; }

    public double DurationMs { get; set; }

    /// <summary>Model calls that the reply took: 1 for a model, one for each step of a bot; 0 when refused before.</summary>
    public int Steps { get; set; }

    /// <summary>A JSON array, one object for each attempt.</summary>
    public required string Attempts { get; set; }

    /// <summary>A JSON array, one object for each step of a bot and of the bots that it asked; empty for a model.</summary>
    public string StepList { get; set; } = "[]";
}
