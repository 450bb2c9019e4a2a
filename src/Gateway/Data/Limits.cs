namespace Gateway.Data;

/// <summary>What a budget is for.</summary>
internal enum BudgetPer
{
    Day = 0,
    Month = 1,
}

/// <summary>Most money or tokens in a UTC day or month. At least one of the two is set.</summary>
internal sealed record Budget(decimal? Usd, long? Tokens, BudgetPer Per);

/// <summary>Limits of a key, a bot or a workspace; null: not limited in this.</summary>
/// <param name="Rpm">Requests in a UTC minute.</param>
/// <param name="Tpm">Tokens in a UTC minute, in and out.</param>
/// <param name="Concurrent">Requests at a time, for each gateway.</param>
internal sealed record LimitValues(int? Rpm, long? Tpm, int? Concurrent, Budget? Budget)
{
    /// <summary>Null when nothing is limited, which most keys are.</summary>
    public static LimitValues? From(LimitColumns columns) =>
        columns is { Rpm: null, Tpm: null, Concurrent: null, BudgetUsd: null, BudgetTokens: null }
            ? null
            : new LimitValues(
                columns.Rpm, columns.Tpm, columns.Concurrent,
                columns is { BudgetUsd: null, BudgetTokens: null }
                    ? null
                    : new Budget(columns.BudgetUsd, columns.BudgetTokens, columns.BudgetPer ?? BudgetPer.Day));
}

/// <summary><see cref="LimitValues"/> as columns of a row.</summary>
internal sealed class LimitColumns
{
    public int? Rpm { get; set; }
    public long? Tpm { get; set; }
    public int? Concurrent { get; set; }
    public decimal? BudgetUsd { get; set; }
    public long? BudgetTokens { get; set; }
    public BudgetPer? BudgetPer { get; set; }

    /// <param name="limits">Null: nothing is limited any more.</param>
    public void Set(LimitValues? limits)
    {
        Rpm = limits?.Rpm;
        Tpm = limits?.Tpm;
        Concurrent = limits?.Concurrent;
        BudgetUsd = limits?.Budget?.Usd;
        BudgetTokens = limits?.Budget?.Tokens;
        BudgetPer = limits?.Budget?.Per;
    }
}
