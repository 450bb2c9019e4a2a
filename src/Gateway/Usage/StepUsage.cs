namespace Gateway.Usage;

/// <summary>One step of a bot: a model call with all its attempts, and the tools that it called. Safe for concurrent use.</summary>
/// <param name="depth">1 for the bot that the caller asked, 2 for a bot that it asked, and so on.</param>
/// <param name="number">Of this bot's steps, from 1.</param>
/// <param name="model">The model's name here, until another answers.</param>
internal sealed class StepUsage(string bot, int depth, int number, string model)
{
    private readonly Lock _lock = new();
    private long _input;
    private long _output;
    private decimal? _usd = 0;
    private double _durationMs;
    private string _model = model;

    public string Bot { get; } = bot;

    public int Depth { get; } = depth;

    public int Number { get; } = number;

    /// <summary>Names of the bot's own tools that it called, as often as it called them.</summary>
    public IReadOnlyList<string> Tools { get; set; } = [];

    /// <summary>What its attempts used so far; money is null when one that used tokens has no price.</summary>
    public (string Model, long Input, long Output, decimal? Usd, double DurationMs) Totals()
    {
        lock (_lock)
        {
            return (_model, _input, _output, _usd, _durationMs);
        }
    }

    public void Add(AttemptUsage attempt)
    {
        lock (_lock)
        {
            _model = attempt.Model;
            _input += attempt.InputTokens;
            _output += attempt.OutputTokens;
            _usd = attempt.InputTokens + attempt.OutputTokens == 0 ? _usd : _usd + attempt.Usd;
            _durationMs += attempt.DurationMs;
        }
    }
}
