namespace ChatKit;

/// <summary>The answer <c>{}</c> of operations that have nothing to say.</summary>
public sealed record EmptyResponse;

/// <summary>The answer to <c>input.transcribe</c>.</summary>
public sealed record TranscriptionResult
{
    /// <summary>What was said.</summary>
    public required string Text { get; init; }
}

/// <summary>The answer to <c>threads.sync_custom_action</c>.</summary>
public sealed record SyncActionResult
{
    /// <summary>Replaces the item of this id in the client's view. The server does not store it by itself. Null: nothing changes.</summary>
    public ThreadItem? UpdatedItem { get; init; }
}
