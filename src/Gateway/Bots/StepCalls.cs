using System.Text;

namespace Gateway.Bots;

/// <summary>One call that the model made in a step.</summary>
internal sealed class StepCall
{
    private readonly StringBuilder _arguments = new();
    private readonly string _madeId = HiddenSteps.NewCallId();
    private string? _sentId;

    /// <summary>As the upstream knows it; ours where it has none.</summary>
    public string UpstreamId => _sentId ?? _madeId;

    /// <summary>As the caller knows it.</summary>
    public string ShownId => _madeId;

    /// <summary>Among the caller's calls of the step; null: it is not one of the caller's tools that is called.</summary>
    public int? ShownIndex { get; set; }

    public string Type { get; private set; } = "function";

    /// <summary>Empty until it was said.</summary>
    public string Name { get; private set; } = "";

    /// <summary>JSON, or what the model took for it.</summary>
    public string Arguments => _arguments.ToString();

    /// <summary>Whether it is the gateway's to answer: a tool of the bot's, or one that nobody has.</summary>
    public bool IsOwn => ShownIndex is null;

    public void Add(BotEvent.CallerToolCall piece)
    {
        _sentId ??= piece.Id is { Length: > 0 } ? piece.Id : null;
        Type = piece.Type is null ? Type : piece.Type == "custom" ? "custom" : "function";
        Name = piece.Name ?? Name;
        _arguments.Append(piece.Arguments);
    }
}

/// <summary>
/// Sorts the calls of a step: those of the caller's tools go out as they come, under ids of ours; the others are kept.
/// </summary>
internal sealed class StepCalls(CallerTools callers)
{
    private readonly List<(int Index, StepCall Call)> _all = [];
    private int _shown;

    public IReadOnlyList<StepCall> All => [.. _all.Select(c => c.Call)];

    /// <summary>Those that the caller never sees.</summary>
    public IReadOnlyList<StepCall> Own => [.. _all.Where(c => c.Call.IsOwn).Select(c => c.Call)];

    public IReadOnlyList<StepCall> Callers => [.. _all.Where(c => !c.Call.IsOwn).Select(c => c.Call)];

    /// <returns>What the caller sees of it; null: nothing, or nothing yet.</returns>
    public BotEvent? Add(BotEvent.CallerToolCall piece)
    {
        var call = _all.Find(c => c.Index == piece.Index).Call;
        if (call is null)
        {
            _all.Add((piece.Index, call = new StepCall()));
        }

        var wasNamed = call.Name.Length > 0;
        call.Add(piece);
        if (!wasNamed && call.Name.Length > 0 && callers.Has(call.Name))
        {
            call.ShownIndex = _shown++;
            return new BotEvent.CallerToolCall(call.ShownIndex.Value, call.ShownId, call.Type, call.Name, call.Arguments);
        }

        return wasNamed && call.ShownIndex is { } index && piece.Arguments is { } more
            ? new BotEvent.CallerToolCall(index, null, null, null, more)
            : null;
    }
}
