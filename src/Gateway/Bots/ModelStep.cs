using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Bots;

/// <summary>One model call of a turn, read as it comes. Not for concurrent use.</summary>
/// <param name="calls">Sorts what the model calls; null: the bot has no tools of its own, and all calls are the caller's.</param>
/// <param name="holdsText">Whether text waits until it is known that the step is the last one.</param>
internal sealed class ModelStep(ModelCalls models, UpstreamCall call, TurnScope scope, StepCalls? calls, bool holdsText) : IAsyncDisposable
{
    private readonly ChunkReader _chunks = new();
    private readonly List<BotEvent> _events = new(8);
    private StringBuilder? _text;
    private List<BotEvent>? _held;
    private UpstreamStream? _stream;
    private bool _isOver;

    /// <summary>What came with the last <see cref="ReadAsync"/>.</summary>
    public List<BotEvent> Events => _events;

    /// <summary>The text that was held.</summary>
    public IReadOnlyList<BotEvent> Held => _held ?? (IReadOnlyList<BotEvent>)[];

    /// <summary>Why there is no whole answer; null while it goes on, or when it is whole.</summary>
    public ApiError? Error { get; private set; }

    /// <summary>Whether the turn's time was over before it was whole.</summary>
    public bool IsCut { get; private set; }

    public string FinishReason => _chunks.FinishReason;

    /// <summary>All that it said; only kept where the bot has tools of its own.</summary>
    public string Text => _text?.ToString() ?? "";

    /// <summary>As the upstream said it; null where it did not.</summary>
    public TokenUsage? Usage => _stream?.Usage;

    /// <summary>Waits for more. False when there will be none.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync()
    {
        _events.Clear();
        if (_isOver)
        {
            return false;
        }

        try
        {
            _isOver = _stream is null ? !await OpenAsync() : !await _stream.ReadAsync();
            if (!_isOver)
            {
                Take(_stream!);
                return true;
            }

            Error ??= _stream?.Error;
        }
        catch (OperationCanceledException) when (scope.Time.RanOut)
        {
            (_isOver, IsCut) = (true, true);
        }

        if (Error is not null || IsCut)
        {
            // What became of the attempt is known when it has ended, and the header of a refusal says it.
            await DisposeAsync();
        }

        Note();
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        _isOver = true;
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
        }
    }

    private async ValueTask<bool> OpenAsync()
    {
        (_stream, Error) = await models.OpenAsync(call, scope.Time.Whole);
        Note();
        scope.Dropped.AddRange(call.DroppedParams);
        return _stream is not null;
    }

    private void Note()
    {
        if (call.Trail is { } trail)
        {
            scope.Tree.Note(trail);
        }
    }

    private void Take(UpstreamStream stream)
    {
        while (stream.TryNext(out var kind))
        {
            if (!stream.IsSilent(kind))
            {
                TakeChunk(stream);
            }

            stream.Buffer.Release(stream.Buffer.EventEnd);
        }
    }

    private void TakeChunk(UpstreamStream stream)
    {
        var text = stream.TextAlone;
        if (!text.IsEmpty)
        {
            Take(new BotEvent.Text(Encoding.UTF8.GetString(text), null));
            return;
        }

        foreach (var happened in _chunks.Read(stream.Data))
        {
            Take(happened);
        }
    }

    private void Take(BotEvent happened)
    {
        switch (happened)
        {
            case BotEvent.CallerToolCall piece when calls is not null:
                if (calls.Add(piece) is { } shown)
                {
                    _events.Add(shown);
                }

                break;
            case BotEvent.Text text when calls is not null:
                (_text ??= new StringBuilder()).Append(text.Piece);
                (holdsText ? _held ??= [] : _events).Add(text);
                break;
            default:
                _events.Add(happened);
                break;
        }
    }
}
