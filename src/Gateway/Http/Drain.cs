namespace Gateway.Http;

/// <summary>How far a gateway is on its way out.</summary>
internal enum DrainPhase
{
    Serving,

    /// <summary>Not ready any more, and serving on, so that load balancers have time to notice; connections are not kept.</summary>
    Leaving,

    /// <summary>New requests are refused; running ones go on.</summary>
    Closed,
}

/// <summary>
/// The requests that are running, so that a gateway that stops knows how many it waits for, and can end those that outlast
/// the wait: each with a reply that says so, instead of a connection that breaks.
/// </summary>
internal sealed class Drain
{
    // Several lists, so that requests on many cores do not wait for one lock.
    private readonly List[] _lists = [.. Enumerable.Range(0, Math.Max(4, Environment.ProcessorCount)).Select(_ => new List())];
    private volatile DrainPhase _phase;

    public DrainPhase Phase => _phase;

    /// <summary>How many are running, give or take those that come and go at this moment.</summary>
    public int Running => _lists.Sum(list => list.Count);

    /// <summary>How many have run and ended since the start, as nearly.</summary>
    public long Ended => _lists.Sum(list => list.Ended);

    public void Leave() => _phase = DrainPhase.Leaving;

    /// <summary>From here on <see cref="Begin"/> says no. Whoever it said yes to before is counted.</summary>
    public void Close() => _phase = DrainPhase.Closed;

    /// <summary>
    /// Counts a request in, and makes its <see cref="HttpContext.RequestAborted"/> one that is cancelled by the end of the
    /// drain as well as by a caller who leaves.
    /// </summary>
    /// <returns>To be given to <see cref="End"/>, whatever happens; null: no new requests any more.</returns>
    public RunningRequest? Begin(HttpContext http, RequestFacts facts)
    {
        var list = _lists[Environment.CurrentManagedThreadId % _lists.Length];
        var request = new RunningRequest(http, facts, list);
        lock (list.Lock)
        {
            // Asked in here: Close, then a look at every list, cannot miss one.
            if (_phase == DrainPhase.Closed)
            {
                request.Dispose();
                return null;
            }

            list.Add(request);
        }

        http.RequestAborted = request.Token;
        return request;
    }

    public static void End(RunningRequest request)
    {
        lock (request.List.Lock)
        {
            request.List.Remove(request);
        }

        request.Dispose();
    }

    /// <summary>Cancels what still runs; its callers can be told, and are. May be called again.</summary>
    public void Cut()
    {
        foreach (var request in All())
        {
            request.Cut();
        }
    }

    /// <summary>Breaks the connections of what still runs.</summary>
    public void Abort()
    {
        foreach (var request in All())
        {
            request.Http.Abort();
        }
    }

    /// <summary>A copy: what is done to a request may end it, and so change its list.</summary>
    private List<RunningRequest> All()
    {
        var all = new List<RunningRequest>();
        foreach (var list in _lists)
        {
            lock (list.Lock)
            {
                for (var request = list.First; request is not null; request = request.Next)
                {
                    all.Add(request);
                }
            }
        }

        return all;
    }

    /// <summary>A chain through the requests themselves: to come and to go allocates nothing.</summary>
    internal sealed class List
    {
        public Lock Lock { get; } = new();

        public RunningRequest? First { get; private set; }

        public int Count { get; private set; }

        public long Ended { get; private set; }

        public void Add(RunningRequest request)
        {
            request.Next = First;
            if (First is not null)
            {
                First.Previous = request;
            }

            First = request;
            Count++;
        }

        public void Remove(RunningRequest request)
        {
            if (request.Previous is { } previous)
            {
                previous.Next = request.Next;
            }
            else
            {
                First = request.Next;
            }

            if (request.Next is { } next)
            {
                next.Previous = request.Previous;
            }

            Count--;
            Ended++;
        }
    }
}

/// <summary>One that runs, which is also the source of its token: cancelled when the caller leaves, or the drain is over.</summary>
internal sealed class RunningRequest : CancellationTokenSource
{
    private readonly RequestFacts _facts;
    private readonly CancellationTokenRegistration _caller;

    public RunningRequest(HttpContext http, RequestFacts facts, Drain.List list)
    {
        (Http, _facts, List) = (http, facts, list);
        _caller = http.RequestAborted.UnsafeRegister(static request => ((RunningRequest)request!).Cancel(), this);
    }

    public HttpContext Http { get; }

    public Drain.List List { get; }

    public RunningRequest? Previous { get; set; }

    public RunningRequest? Next { get; set; }

    /// <summary>Ends it, unless its caller has left before.</summary>
    public void Cut()
    {
        if (IsCancellationRequested)
        {
            return;
        }

        _facts.IsCut = true;
        try
        {
            // On other threads: what follows from it must not hold up the cutting of the rest.
            _ = CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself in this moment.
        }
    }

    protected override void Dispose(bool disposing)
    {
        _caller.Dispose();
        base.Dispose(disposing);
    }
}
