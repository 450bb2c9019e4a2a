using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>
/// An upstream's stream being read, event by event. It knows how it ended: whole, or with the error that the caller is
/// to be told. Not for concurrent use.
/// </summary>
internal sealed class UpstreamStream : IAsyncDisposable
{
    private readonly UpstreamCall _call;
    private readonly AttemptClock _limits;
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly EventBuffer _buffer = new();
    private bool _atEnd;
    private bool _hasContent;

    private UpstreamStream(UpstreamCall call, AttemptClock limits, HttpResponseMessage response, Stream body, string deployment)
    {
        (_call, _limits, _response, _body, Deployment) = (call, limits, response, body, deployment);
        Facts = new StreamFacts(call.Choices);
        limits.Limit("first content", call.Route.Model.Timeouts.FirstContent);
    }

    public StreamFacts Facts { get; }

    public string Deployment { get; }

    /// <summary>The bytes that the events stand in.</summary>
    public EventBuffer Buffer => _buffer;

    /// <summary>What <see cref="ReadAsync"/> ended with when the stream broke; null while it goes on or ended whole.</summary>
    public ApiError? Error { get; private set; }

    /// <summary>Whether the upstream sent its own <c>[DONE]</c>.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Sends a call and waits for its headers.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public static async Task<(UpstreamStream? Stream, ApiError? Error, string Deployment)> OpenAsync(
        UpstreamClient client, UpstreamCall call, CancellationToken cancel)
    {
        var limits = client.NewClock(call, cancel);
        var opened = await client.OpenAsync(call, limits);
        if (opened.Response is not { } response)
        {
            limits.Dispose();
            return (null, opened.Error, opened.Deployment);
        }

        return (
            new UpstreamStream(call, limits, response, await response.Content.ReadAsStreamAsync(cancel), opened.Deployment),
            null, opened.Deployment);
    }

    /// <summary>
    /// The next event that has arrived. False when more must be read first, or the stream is over: whole, or broken with
    /// <see cref="Error"/> set.
    /// </summary>
    public bool TryNext(out EventKind kind)
    {
        kind = EventKind.NoData;
        if (IsDone || Error is not null || !_buffer.TryNext(_atEnd))
        {
            return false;
        }

        var data = _buffer.Data;
        if (!_buffer.HasData)
        {
            return true;
        }

        kind = Facts.Read(data);
        switch (kind)
        {
            case EventKind.Content when !_hasContent:
                // Off while it is written: a caller who reads slowly must not make the upstream look late.
                _hasContent = true;
                _limits.Stop();
                break;
            case EventKind.Done when Facts.IsEachSeenFinished:
                IsDone = true;
                break;
            case EventKind.Done:
                return Break(ApiError.UpstreamBroke(_call.Route.Selector));
            case EventKind.Error:
                return Break(UpstreamRefusal.FromReply(data, _call.Route));
            case EventKind.Malformed:
                return Break(_atEnd
                    ? ApiError.UpstreamBroke(_call.Route.Selector)
                    : ApiError.UpstreamMalformed(_call.Route.Selector, "an event of the stream is not JSON"));
        }

        return true;
    }

    /// <summary>
    /// Waits for more bytes. False when there will be none: the answer is then whole, or <see cref="Error"/> says why not.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async ValueTask<bool> ReadAsync()
    {
        if (IsDone || _atEnd || Error is not null)
        {
            return false;
        }

        if (!_buffer.Room(out var room))
        {
            Error = ApiError.UpstreamMalformed(_call.Route.Selector, "an event of the stream is too large");
            return false;
        }

        try
        {
            // Until the first content its own limit goes on running; then each silence has one.
            if (_hasContent)
            {
                _limits.Limit("idle", _call.Route.Model.Timeouts.Idle);
            }

            var read = await _body.ReadAsync(room, _limits.Token);
            if (_hasContent)
            {
                _limits.Stop();
            }

            if (read > 0)
            {
                _buffer.Received(read);
                return true;
            }

            _atEnd = true;
            // What is left may be an event that lacks only its blank line; reading it is worth one more round.
            if (_buffer.HasRest)
            {
                return true;
            }

            Error = Facts.IsFinished ? null : ApiError.UpstreamBroke(_call.Route.Selector);
            return false;
        }
        catch (Exception broken) when (_limits.Explain(broken, _call.Route.Selector, began: true) is { } error)
        {
            _atEnd = true;
            // Nothing that an upstream does after the last finish_reason can take the answer back.
            Error = Facts.IsFinished ? null : error;
            return false;
        }
    }

    /// <summary>Settles how it ended, once <see cref="ReadAsync"/> has said that there is no more.</summary>
    public ApiError? End()
    {
        if (!IsDone && Error is null && !Facts.IsFinished)
        {
            Error = ApiError.UpstreamBroke(_call.Route.Selector);
        }

        return Error;
    }

    public async ValueTask DisposeAsync()
    {
        await LetConnectionBeReusedAsync();
        _buffer.Dispose();
        _response.Dispose();
        _limits.Dispose();
    }

    /// <summary>Only a body that was read to its end leaves a connection that another request can use.</summary>
    private async Task LetConnectionBeReusedAsync()
    {
        if (!IsDone || _atEnd)
        {
            return;
        }

        try
        {
            _limits.Limit("idle", TimeSpan.FromMilliseconds(250));
            _buffer.ReleaseAll();
            while (_buffer.Room(out var room) && await _body.ReadAsync(room, _limits.Token) is > 0 and var read)
            {
                _buffer.Received(read);
                _buffer.ReleaseAll();
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or HttpRequestException)
        {
            // Then it is closed.
        }
    }

    private bool Break(ApiError error)
    {
        _atEnd = true;
        Error = Facts.IsFinished ? null : error;
        return false;
    }
}
