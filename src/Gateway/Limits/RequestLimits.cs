using Gateway.Data;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>An amount that a request has reserved.</summary>
internal readonly record struct Reserved(LimitWindow Window, long Amount);

/// <summary>What a request has of one owner's limits. Guarded by its <see cref="RequestLimits"/>.</summary>
/// <param name="name">The key's or workspace's name, the bot's id.</param>
internal sealed class RequestShare(LimitSubject subject, string name, LimitValues values)
{
    /// <summary>In the order in which it was taken; several of one meter where a request has several steps.</summary>
    private readonly List<Reserved> _reserved = new(4);

    public LimitSubject Subject { get; } = subject;

    /// <summary>As configured when the request began.</summary>
    public LimitValues Values { get; } = values;

    /// <summary>For messages, such as <c>key 'web'</c>.</summary>
    public string Whose => Subject.Owner.Scope switch
    {
        LimitScope.Key => $"key '{name}'",
        LimitScope.Bot => $"bot '{name}'",
        _ => $"workspace '{name}'",
    };

    /// <summary>For metrics.</summary>
    public string ScopeName => Subject.Owner.Scope switch
    {
        LimitScope.Key => "key",
        LimitScope.Bot => "bot",
        _ => "workspace",
    };

    /// <summary>Whether the request was counted as one.</summary>
    public bool IsCounted { get; private set; }

    /// <summary>Whether it has, or waits for, its place.</summary>
    public bool HasClaimedPlace { get; set; }

    public bool HasPlace { get; set; }

    /// <summary>What its steps were expected to use, in whole.</summary>
    public long Tokens { get; private set; }

    public decimal Usd { get; private set; }

    public void Add(IReadOnlyList<Reserved> reserved, Need need)
    {
        foreach (var one in reserved)
        {
            if (one.Window.Id.Owner != Subject.Owner)
            {
                continue;
            }

            if (one.Window.Id.Meter == LimitMeter.Requests)
            {
                one.Window.Settle(one.Amount, one.Amount);
            }
            else
            {
                _reserved.Add(one);
            }
        }

        IsCounted = true;
        Tokens += need.Tokens;
        Usd += need.Usd ?? 0;
    }

    /// <summary>Gives the place back, and of the rest what was not used.</summary>
    public void Settle(long tokens, decimal usd)
    {
        if (HasPlace)
        {
            Subject.Places.Leave();
        }

        for (var n = 0; n < _reserved.Count; n++)
        {
            var (window, amount) = _reserved[n];
            var used = LimitMeters.IsUsd(window.Id.Meter) ? LimitMeters.Ceiling(usd) : tokens;
            // Of several steps each bears what was reserved for it, the last one what is left, or too much.
            for (var other = 0; other < _reserved.Count; other++)
            {
                if (other != n && _reserved[other].Window.Id.Meter == window.Id.Meter)
                {
                    used = other < n ? Math.Max(0, used - _reserved[other].Amount) : Math.Min(used, amount);
                }
            }

            window.Settle(amount, used);
        }
    }
}

/// <summary>
/// What a request has of the limits of its key, its workspace and its bots. Safe for concurrent use: members of a team
/// reserve at the same time.
/// </summary>
internal sealed class RequestLimits
{
    private readonly Lock _lock = new();
    private readonly List<RequestShare> _shares = new(2);
    private RequestShare[]? _all;
    private long _tokens;
    private decimal _usd;
    private bool _isOver;

    /// <summary>The request's share of these limits, made at the first call.</summary>
    public RequestShare Share(LimitSubject subject, string name, LimitValues values)
    {
        lock (_lock)
        {
            foreach (var share in _shares)
            {
                if (share.Subject == subject)
                {
                    return share;
                }
            }

            var made = new RequestShare(subject, name, values);
            _shares.Add(made);
            _all = null;
            return made;
        }
    }

    /// <summary>The shares that a step takes from: its bot's, and those of the caller. Not to be changed.</summary>
    public RequestShare[] Of(RequestShare? bot)
    {
        lock (_lock)
        {
            foreach (var share in _shares)
            {
                if (share != bot && share.Subject.Owner.Scope == LimitScope.Bot)
                {
                    return [.. _shares.Where(s => s.Subject.Owner.Scope != LimitScope.Bot || s == bot)];
                }
            }

            return _all ??= [.. _shares];
        }
    }

    /// <summary>All, for headers. Not to be changed.</summary>
    public RequestShare[] All()
    {
        lock (_lock)
        {
            return _all ??= [.. _shares];
        }
    }

    /// <summary>Whether the caller of this is the one to take the share's place; a request has one for all its steps.</summary>
    public bool TryClaimPlace(RequestShare share)
    {
        lock (_lock)
        {
            return !share.HasClaimedPlace && (share.HasClaimedPlace = true);
        }
    }

    /// <summary>A place was taken. False: the request is over, and the place is to be given back.</summary>
    public bool TryKeepPlace(RequestShare share)
    {
        lock (_lock)
        {
            return share.HasPlace = !_isOver;
        }
    }

    /// <summary>A step's reserve was taken. False: the request is over, and the reserve is to be given back.</summary>
    public bool TryKeep(ReadOnlySpan<RequestShare> shares, IReadOnlyList<Reserved> reserved, Need need)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return false;
            }

            _tokens += need.Tokens;
            _usd += need.Usd ?? 0;
            foreach (var share in shares)
            {
                share.Add(reserved, need);
            }

            return true;
        }
    }

    /// <summary>The request is over. Only the first call counts.</summary>
    /// <param name="usd">Null where a price is not known: then what was reserved counts as used.</param>
    public void Settle(long tokens, decimal? usd)
    {
        RequestShare[] shares;
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            shares = _all ??= [.. _shares];
        }

        foreach (var share in shares)
        {
            // Several bots in one request share what it used as they shared what was expected.
            var ofTokens = _tokens == share.Tokens || _tokens == 0 ? tokens : (long)Math.Ceiling((decimal)tokens * share.Tokens / _tokens);
            var ofUsd = usd is null || _usd == share.Usd || _usd == 0 ? usd ?? share.Usd : usd.Value * share.Usd / _usd;
            share.Settle(ofTokens, ofUsd);
        }
    }
}
