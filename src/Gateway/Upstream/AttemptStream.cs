using System.Runtime.CompilerServices;
using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>
/// One attempt's stream being read, event by event. It knows how it ended: whole, or with a failure. Not for concurrent use.
/// </summary>
internal sealed class AttemptStream : IAsyncDisposable
{
    /// <summary>Most that is held back while nothing but preamble has come; then that counts as content.</summary>
    private const int MaxHeldBytes = 256 * 1024;

    private readonly UpstreamCall _call;
    private readonly Attempt _attempt;
    private readonly AttemptClock _limits;
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly EventBuffer _buffer = new();
    private Memory<byte> _room;
    private bool _atEnd;
    private bool _hasContent;
    private bool _wasCut;
    private bool _isOver;

    private AttemptStream(UpstreamCall call, Attempt attempt, HttpResponseMessage response, Stream body, bool keepsText)
    {
        (_call, _attempt, _limits, _response, _body) = (call, attempt, attempt.Clock, response, body);
        Facts = new StreamFacts(call.Choices, keepsText);
        _limits.Limit("first content", attempt.Route.Model.Timeouts.FirstContent);
    }

    public StreamFacts Facts { get; }

    public Deployment Deployment => _attempt.Deployment;

    /// <summary>The bytes that the events stand in.</summary>
    public EventBuffer Buffer => _buffer;

    /// <summary>What <see cref="ReadAsync"/> ended with when the stream broke; null while it goes on or ended whole.</summary>
    public AttemptFailure? Failure { get; private set; }

    /// <summary>What the attempt ends as when its answer is not wanted; null: as one that the caller left.</summary>
    public string? LeftAs { get; set; }

    /// <summary>Whether the upstream sent its own <c>[DONE]</c>.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Sends a call and waits for its first content: until then another attempt can take its place unnoticed.</summary>
    /// <param name="keepsText">Whether the text is kept as it comes, to be carried on by another attempt.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    /// <returns>An <see cref="AttemptStream"/>, or why there is none.</returns>
    public static async ValueTask<AttemptOutcome> OpenAsync(
        UpstreamClient client, UpstreamCall call, Attempt attempt, bool keepsText)
    {
        var (response, failure) = await client.OpenAsync(call, attempt);
        if (response is null)
        {
            return new AttemptOutcome(null, failure);
        }

        AttemptStream? stream = null;
        try
        {
            stream = new AttemptStream(
                call, attempt, response, await response.Content.ReadAsStreamAsync(attempt.Clock.Token), keepsText);
            if (await stream.WaitForContentAsync() is not { } broken)
            {
                attempt.Succeeded();
                var opened = stream;
                stream = null;
                return new AttemptOutcome(opened, null);
            }

            return new AttemptOutcome(null, broken);
        }
        finally
        {
            // The attempt itself is the caller's to end, who learns of the failure.
            stream?.Release();
        }
    }

    /// <summary>
    /// The next event that has arrived. False when more must be read first, or the stream is over: whole, or broken with
    /// <see cref="Failure"/> set.
    /// </summary>
    public bool TryNext(out EventKind kind)
    {
        kind = EventKind.NoData;
        if (IsDone || Failure is not null || !_buffer.TryNext(_atEnd))
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
                return Break(Cut());
            case EventKind.Error:
                return Break(AttemptFailure.InReply(data, _attempt.Route, Deployment.Provider));
            case EventKind.Malformed:
                return Break(_atEnd ? Cut() : Malformed("an event of the stream is not JSON"));
        }

        return true;
    }

    /// <summary>
    /// Waits for more bytes. False when there will be none: the answer is then whole, or <see cref="Failure"/> says why not. Who
    /// waits for every chunk of many streams does by itself what this does, and so has no second wait to keep.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync()
    {
        if (!BeginRead())
        {
            return false;
        }

        try
        {
            await WaitAsync();
            return Took(await FillAsync());
        }
        catch (Exception broken) when (Broke(broken))
        {
            return false;
        }
    }

    /// <summary>
    /// Whether there is anything to wait for. Then <see cref="WaitAsync"/>, <see cref="FillAsync"/> and <see cref="Took"/> follow,
    /// or <see cref="Broke"/> with what one of them threw.
    /// </summary>
    public bool BeginRead()
    {
        if (IsDone || _atEnd || Failure is not null)
        {
            return false;
        }

        if (!_buffer.Room(out _room))
        {
            Failure = Malformed("an event of the stream is too large");
            return false;
        }

        // Until the first content its own limit goes on running; then each silence has one.
        if (_hasContent)
        {
            _limits.Limit("idle", _attempt.Route.Model.Timeouts.Idle);
        }

        return true;
    }

    /// <summary>
    /// An empty read, which waits: then the connection has the bytes when it is asked for them, and need not allocate to wait for
    /// them in two places.
    /// </summary>
    public ValueTask<int> WaitAsync() => _body.ReadAsync(Memory<byte>.Empty, _limits.Token);

    public ValueTask<int> FillAsync() => _body.ReadAsync(_room, _limits.Token);

    /// <param name="read">What <see cref="FillAsync"/> gave.</param>
    /// <returns>False when there will be no more; <see cref="Failure"/> says whether that is too early.</returns>
    public bool Took(int read)
    {
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

        Failure = Facts.IsFinished ? null : Cut();
        return false;
    }

    /// <returns>False when it is none of the transport's, or the caller left.</returns>
    public bool Broke(Exception exception)
    {
        if (AttemptFailure.From(exception, _limits, _attempt.Route, began: true) is not { } failure)
        {
            return false;
        }

        _atEnd = _wasCut = true;
        // Nothing that an upstream does after the last finish_reason can take the answer back.
        Failure = Facts.IsFinished ? null : failure;
        return true;
    }

    /// <summary>Settles how it ended, once <see cref="ReadAsync"/> has said that there is no more.</summary>
    public AttemptFailure? End()
    {
        if (!IsDone && Failure is null && !Facts.IsFinished)
        {
            Failure = Cut();
        }

        return Failure;
    }

    /// <summary>Ends the attempt and notes what it used; a stream that was left in the middle ends as <see cref="LeftAs"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        // A stream that could not be carried on was over before its reader is: it must not count against its deployment twice.
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        await LetConnectionBeReusedAsync();
        _attempt.AnsweredAs(Facts.Model);
        if (Failure is not null)
        {
            NoteFailure(Failure);
        }
        else if (LeftAs is null && (IsDone || Facts.IsFinished))
        {
            _attempt.Ended(_wasCut && Facts.Usage is null ? Attempt.CutAfterFinish : "ok", Used(isWhole: true));
        }
        else
        {
            _attempt.Ended(LeftAs ?? "caller_left", Used(isWhole: Facts.IsFinished));
        }

        Release();
        _attempt.Dispose();
    }

    /// <summary>Counts a break against the deployment. May be called again.</summary>
    public void NoteFailure(AttemptFailure failure) => _attempt.Failed(failure, Used(isWhole: false));

    /// <summary>What the upstream said, if it had the time to say it; else an estimate.</summary>
    private Tokens Used(bool isWhole) => isWhole && Facts.Usage is { } reported
        ? new Tokens(reported, IsEstimated: false)
        : new Tokens(
            new TokenUsage(
                Math.Max((int)Math.Min(_call.PromptTokens, int.MaxValue), Facts.Usage?.Input ?? 0),
                Math.Max(Facts.EstimatedOutputTokens, Facts.Usage?.Output ?? 0), 0, 0),
            IsEstimated: true);

    /// <summary>Reads on until something is there for the caller, and stands before all that was read.</summary>
    private async Task<AttemptFailure?> WaitForContentAsync()
    {
        do
        {
            while (TryNext(out var kind))
            {
                if (kind is EventKind.Content or EventKind.Done)
                {
                    Rewind();
                    return null;
                }
            }

            if (_buffer.HeldBytes >= MaxHeldBytes && Failure is null)
            {
                _hasContent = true;
                _limits.Stop();
                Rewind();
                return null;
            }
        }
        while (await ReadAsync());

        return End();
    }

    /// <summary>The few events up to the first content are read once more, by whoever passes them on.</summary>
    private void Rewind()
    {
        _buffer.Rewind();
        Facts.Reset();
        IsDone = false;
    }

    private void Release()
    {
        _buffer.Dispose();
        Facts.Dispose();
        _response.Dispose();
    }

    private AttemptFailure Cut() => AttemptFailure.Broken(ApiError.UpstreamBroke(_call.Route.Selector), "cut");

    private AttemptFailure Malformed(string why) =>
        AttemptFailure.Broken(ApiError.UpstreamMalformed(_call.Route.Selector, why), "malformed");

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

    private bool Break(AttemptFailure failure)
    {
        _atEnd = _wasCut = true;
        Failure = Facts.IsFinished ? null : failure;
        return false;
    }
}
