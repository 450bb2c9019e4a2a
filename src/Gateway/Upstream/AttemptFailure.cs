using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>What a failed attempt means for the next one.</summary>
internal enum FailureKind
{
    /// <summary>The same deployment may do better in a moment.</summary>
    Transient,

    /// <summary>It fell silent: asking it again would only take as long.</summary>
    Silent,

    /// <summary>It does not accept us, or does not have the model: the operator's to mend, not the caller's.</summary>
    Ours,

    /// <summary>The request is too long for the model: another deployment of it would say the same.</summary>
    TooLong,

    /// <summary>The request itself is refused, by whomever it is asked.</summary>
    Final,
}

/// <summary>Why an attempt failed.</summary>
/// <param name="Outcome">A short word or the status, for the usage row, the header and metrics.</param>
/// <param name="IsBreakerFailure">Whether the deployment is to blame: connect, clock, 5xx, a break; never a 4xx.</param>
internal sealed record AttemptFailure(ApiError Error, FailureKind Kind, string Outcome, bool IsBreakerFailure)
{
    /// <summary>What an exception of the transport means; null when the caller left, or it is none of the transport's.</summary>
    /// <param name="began">Whether the upstream had begun its reply.</param>
    public static AttemptFailure? From(Exception exception, AttemptClock limits, ModelRoute route, bool began)
    {
        var name = limits.Running;
        return limits.Explain(exception, route.Selector, began) switch
        {
            null => null,
            { Code: "upstream_timeout" } timeout => new AttemptFailure(
                timeout, FailureKind.Silent, exception is OperationCanceledException && limits.HasRunOut ? name.Replace(' ', '_') : "connect",
                IsBreakerFailure: true),
            var broke => new AttemptFailure(broke, FailureKind.Transient, began ? "cut" : "connect", IsBreakerFailure: true),
        };
    }

    /// <summary>The upstream's reply ended or went on in a way that no whole answer comes of.</summary>
    public static AttemptFailure Broken(ApiError error, string outcome) =>
        new(error, FailureKind.Transient, outcome, IsBreakerFailure: true);

    /// <summary>A refusal with a status of its own.</summary>
    public static AttemptFailure Refused(
        HttpResponseMessage response, ReadOnlySpan<byte> body, ModelRoute route, Provider provider)
    {
        var status = (int)response.StatusCode;
        var error = UpstreamRefusal.Read(response, body, route, provider);
        var kind = status switch
        {
            408 or 409 or 429 or >= 500 => FailureKind.Transient,
            401 or 403 or < 400 => FailureKind.Ours,
            404 when !route.Model.IsWildcard => FailureKind.Ours,
            400 or 413 when ErrorKinds.IsTooLong(error) => FailureKind.TooLong,
            _ => FailureKind.Final,
        };
        return new AttemptFailure(error, kind, status.ToString(null, null), IsBreakerFailure: status >= 500);
    }

    /// <summary>An error in a reply that says 200, before any content.</summary>
    public static AttemptFailure InReply(ReadOnlySpan<byte> body, ModelRoute route, Provider provider)
    {
        var error = UpstreamRefusal.FromReply(body, route, provider);
        var kind = ErrorKinds.IsTooLong(error) ? FailureKind.TooLong
            : error.Type == "invalid_request_error" || ErrorKinds.IsContentPolicy(error) ? FailureKind.Final
            : FailureKind.Transient;
        // Said of the request, it is a refusal of it, which asking again does not help: no 5xx, after which clients do.
        var told = kind == FailureKind.Transient ? error : error with { Status = 400 };
        return new AttemptFailure(told, kind, "error_event", IsBreakerFailure: kind == FailureKind.Transient);
    }
}
