using Gateway.Http;
using Gateway.Limits;

namespace Gateway.Bots;

/// <summary>One bot's turn, as its tools see it. Tools of a turn run at the same time.</summary>
internal sealed class TurnContext
{
    private readonly string? _question;

    public required Bot Bot { get; init; }

    /// <summary>The caller, whose workspace is the bot's.</summary>
    public required Caller Caller { get; init; }

    /// <summary>The caller's selector, for messages.</summary>
    public required string Selector { get; init; }

    /// <summary>What limits and records the whole request.</summary>
    public required Metered Metered { get; init; }

    /// <summary>Text of the last message of the user; empty when there is none. Of the conversation, where it is not set.</summary>
    public string Question
    {
        get => _question ?? Scope?.Messages.Question ?? "";
        init => _question = value;
    }

    /// <summary>Whether this turn may search the web: the bot's setting or the caller's wish.</summary>
    public required bool MaySearchWeb { get; init; }

    /// <summary>What the answer may refer to.</summary>
    public Citations Citations { get; init; } = new();

    /// <summary>The bots above this one, the caller's first; empty at the root.</summary>
    public IReadOnlyList<string> Above { get; init; } = [];

    /// <summary>The turn itself, for tools that ask other bots; null outside one, as when a single ability is tried.</summary>
    public TurnScope? Scope { get; set; }
}

/// <summary>A source that an answer may refer to.</summary>
/// <param name="Url">Null: a record without an address.</param>
/// <param name="FileId">Of the record; null with a <paramref name="Url"/>.</param>
/// <param name="FileName">What people call it; null with a <paramref name="Url"/>.</param>
internal sealed record Citation(string Title, string? Url, string? FileId, string? FileName);

/// <summary>
/// The sources of a turn. Each has a number by which the model refers to it, as <c>[1]</c>; the same source has one number.
/// Safe for concurrent use.
/// </summary>
internal sealed class Citations
{
    private readonly Lock _lock = new();
    private readonly List<Citation> _all = [];

    /// <summary>The source's number, from 1.</summary>
    public int Number(Citation citation)
    {
        lock (_lock)
        {
            var at = _all.FindIndex(c => c.Url is not null ? c.Url == citation.Url : c == citation);
            if (at < 0)
            {
                _all.Add(citation);
                at = _all.Count - 1;
            }

            return at + 1;
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _all.Count == 0;
            }
        }
    }

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<Citation> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _all];
            }
        }
    }

    /// <summary>Gives sources the numbers that they had: of two with one number the one that is given here has it.</summary>
    public void Restore(IEnumerable<Citation> sources)
    {
        lock (_lock)
        {
            var at = 0;
            foreach (var source in sources)
            {
                if (at < _all.Count)
                {
                    _all[at] = source;
                }
                else
                {
                    _all.Add(source);
                }

                at++;
            }
        }
    }

    /// <summary>Null when no source has this number.</summary>
    public Citation? Find(int number)
    {
        lock (_lock)
        {
            return number >= 1 && number <= _all.Count ? _all[number - 1] : null;
        }
    }
}
