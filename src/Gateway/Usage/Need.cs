namespace Gateway.Usage;

/// <summary>What a model call is expected to use at most, reserved before anything is sent.</summary>
/// <param name="Tokens">The prompt's, estimated, and the most that the reply may have.</param>
/// <param name="Usd">What those cost; null: the price is unknown.</param>
internal readonly record struct Need(long Tokens, decimal? Usd)
{
    /// <summary>Whether the caller or the bot said how long the reply may be; if not, what is reserved for it is a guess.</summary>
    public bool IsFirm { get; init; }

    /// <summary>The model's name here, for messages.</summary>
    public string? Model { get; init; }
}
