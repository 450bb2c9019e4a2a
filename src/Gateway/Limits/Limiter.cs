using System.Collections.Concurrent;
using Gateway.Data;
using Gateway.Http;
using Gateway.Observability;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>Rates, budgets and places of keys, bots and workspaces: all that apply must allow a request.</summary>
internal sealed class Limiter(LeasePump pump, WorkspaceLimits workspaces, TimeProvider clock)
{
    /// <summary>How long a request waits for a lease.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a request waits for a place.</summary>
    private static readonly TimeSpan LongestQueue = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, LimitSubject> _keys = new();
    private readonly ConcurrentDictionary<Guid, LimitSubject> _workspaces = new();
    private readonly ConcurrentDictionary<(Guid, string), LimitSubject> _bots = new();

    /// <summary>The limits of whoever asks, those of a bot apart. Null: none, which is what most have.</summary>
    public RequestLimits? Begin(Caller caller)
    {
        if (caller.WorkspaceId is not { } workspace)
        {
            return null;
        }

        var ofWorkspace = workspaces.Find(workspace);
        if (caller.Limits is null && ofWorkspace is null)
        {
            return null;
        }

        var limits = new RequestLimits();
        if (caller.Limits is { } ofKey)
        {
            limits.Share(Key(workspace, caller.KeyId), caller.KeyName, ofKey);
        }

        if (ofWorkspace is not null)
        {
            limits.Share(Workspace(workspace), caller.Workspace, ofWorkspace);
        }

        return limits;
    }

    /// <summary>See <see cref="Metered.ReserveAsync"/>. Waits for nobody as long as there are leases and places.</summary>
    public ValueTask<ApiError?> ReserveAsync(
        RequestLimits limits, Caller caller, Need need, (string Id, LimitValues Limits)? bot, CancellationToken cancel)
    {
        var ofBot = bot is { } asked && caller.WorkspaceId is { } workspace
            ? limits.Share(Bot(workspace, asked.Id), asked.Id, asked.Limits)
            : null;
        return ReserveAsync(limits, limits.Of(ofBot), need, cancel);
    }

    private async ValueTask<ApiError?> ReserveAsync(
        RequestLimits limits, RequestShare[] shares, Need need, CancellationToken cancel)
    {
        foreach (var share in shares)
        {
            if (share.Values.Budget?.Usd is not null && need.Usd is null)
            {
                GatewayMetrics.LimitRefused("unpriced", share.ScopeName);
                return ApiError.PriceUnknown(share.Whose, need.Model);
            }
        }

        foreach (var share in shares)
        {
            if (share.Values.Concurrent is { } most && limits.TryClaimPlace(share)
                && !await EnterAsync(limits, share, most, cancel))
            {
                GatewayMetrics.LimitRefused("concurrent", share.ScopeName);
                return ApiError.TooManyAtATime(share.Whose, most);
            }
        }

        var taking = new Taking(limits, shares, need, clock);
        return await taking.RunAsync(LongestWait, cancel);
    }

    private static async ValueTask<bool> EnterAsync(RequestLimits limits, RequestShare share, int most, CancellationToken cancel)
    {
        if (!await share.Subject.Places.EnterAsync(most, LongestQueue, cancel))
        {
            return false;
        }

        if (!limits.TryKeepPlace(share))
        {
            share.Subject.Places.Leave();
            throw new OperationCanceledException("The request is over.");
        }

        return true;
    }

    private LimitSubject Key(Guid workspace, Guid key) => _keys.TryGetValue(key, out var subject)
        ? subject
        : _keys.GetOrAdd(key, id => New(new LimitOwner(workspace, LimitScope.Key, id.ToString())));

    private LimitSubject Workspace(Guid workspace) => _workspaces.TryGetValue(workspace, out var subject)
        ? subject
        : _workspaces.GetOrAdd(workspace, id => New(new LimitOwner(id, LimitScope.Workspace, "")));

    private LimitSubject Bot(Guid workspace, string bot) => _bots.TryGetValue((workspace, bot), out var subject)
        ? subject
        : _bots.GetOrAdd((workspace, bot), id => New(new LimitOwner(id.Item1, LimitScope.Bot, id.Item2)));

    private LimitSubject New(LimitOwner owner) => new(owner, pump, clock);
}
