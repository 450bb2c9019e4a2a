using System.Text;

namespace ChatKit;

/// <summary>Writes an assistant message of one part, piece by piece. Safe for concurrent use. After its end nothing more is written.</summary>
public sealed class MessageWriter
{
    private readonly ItemWriter _stream;
    private readonly AssistantMessageItem _item;
    private readonly StringBuilder _text = new();
    private readonly List<Annotation> _annotations = [];
    private bool _hasPart;
    private bool _isEnded;

    internal MessageWriter(ItemWriter stream, string id)
    {
        _stream = stream;
        _item = new AssistantMessageItem { Id = id, ThreadId = stream.Thread.Id, CreatedAt = stream.Now, Content = [] };
    }

    /// <summary>The item's id.</summary>
    public string Id => _item.Id;

    private AssistantMessageContent Part => new() { Text = _text.ToString(), Annotations = [.. _annotations] };

    /// <summary>Appends text, Markdown. Empty text does nothing.</summary>
    public Task AppendAsync(string text) => UnlessEndedAsync(async () =>
    {
        if (text.Length > 0)
        {
            await EnsurePartAsync();
            _text.Append(text);
            await UpdateAsync(new ContentPartTextDelta { ContentIndex = 0, Delta = text });
        }
    });

    /// <summary>Says that the text rests on a source. A file without a name is left out, because nothing could be shown of it.</summary>
    /// <param name="index">Where the marker stands, in UTF-16 characters from the start; null: at the end of the text so far.</param>
    public Task AnnotateAsync(Source source, int? index = null) => UnlessEndedAsync(async () =>
    {
        if (source is not FileSource { Filename.Length: 0 })
        {
            await EnsurePartAsync();
            var annotation = new Annotation { Source = source, Index = index ?? _text.Length };
            _annotations.Add(annotation);
            await UpdateAsync(new ContentPartAnnotationAdded { ContentIndex = 0, AnnotationIndex = _annotations.Count - 1, Annotation = annotation });
        }
    });

    /// <summary>Ends the message: it is stored. One without any text or annotation is taken back. Does nothing when called again.</summary>
    public Task EndAsync() => UnlessEndedAsync(FinishAsync);

    internal Task BeginAsync() => _stream.SendAsync(new ThreadItemAddedEvent { Item = _item });

    internal async Task FinishAsync()
    {
        _isEnded = true;
        _stream.Forget(this);
        if (!_hasPart)
        {
            await _stream.SendAsync(new ThreadItemRemovedEvent { ItemId = Id });
            return;
        }

        await UpdateAsync(new ContentPartDone { ContentIndex = 0, Content = Part });
        await _stream.SendAsync(new ThreadItemDoneEvent { Item = _item with { Content = [Part] } });
    }

    private async Task EnsurePartAsync()
    {
        if (!_hasPart)
        {
            _hasPart = true;
            await UpdateAsync(new ContentPartAdded { ContentIndex = 0, Content = Part });
        }
    }

    private Task UpdateAsync(ThreadItemUpdate update) => _stream.SendAsync(new ThreadItemUpdatedEvent { ItemId = Id, Update = update });

    private Task UnlessEndedAsync(Func<Task> work) => _stream.LockedAsync(() => _isEnded ? Task.CompletedTask : work());
}
