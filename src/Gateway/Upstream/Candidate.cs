namespace Gateway.Upstream;

/// <summary>A deployment that a call may be sent to, and as which model.</summary>
internal readonly record struct Candidate(ModelRoute Route, Deployment Deployment);

/// <summary>
/// Whom to ask next. Whoever has a free place is asked first, but of one model alone: a fallback is for those whom the model
/// fails, and to wait for a place at it is no failure yet.
/// </summary>
internal struct CandidateOrder(IReadOnlyList<Candidate> candidates)
{
    private int _at;
    private int _waited;
    private List<Candidate>? _busy;

    /// <param name="mayWait">It was busy before; now a place at it is waited for.</param>
    /// <returns>False when all were asked.</returns>
    public bool TryNext(out Candidate candidate, out bool mayWait)
    {
        var isModelOver = _at == candidates.Count || (_at > 0 && !ReferenceEquals(candidates[_at].Route, candidates[_at - 1].Route));
        mayWait = isModelOver && _waited < _busy?.Count;
        if (mayWait)
        {
            candidate = _busy![_waited++];
            return true;
        }

        if (isModelOver)
        {
            (_busy, _waited) = (null, 0);
        }

        candidate = _at < candidates.Count ? candidates[_at] : default;
        return _at++ < candidates.Count;
    }

    /// <summary>This one, which was not waited for, is busy: it comes once more.</summary>
    public void ComeBack(Candidate candidate) => (_busy ??= []).Add(candidate);
}

/// <summary>What came of asking: something that answers, or why there is nothing; or neither, when nobody could be asked.</summary>
internal readonly record struct AttemptOutcome(object? Value, AttemptFailure? Failure);
