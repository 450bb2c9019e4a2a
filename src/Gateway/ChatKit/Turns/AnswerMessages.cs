using System.Text;
using ChatKit;
using Gateway.Bots;

namespace Gateway.ChatKit.Turns;

/// <summary>The text of a bot's turn as messages of one part, with the sources it refers to as annotations. One turn's.</summary>
internal sealed class AnswerMessages(ChatThread thread, Func<ItemKind, string> newId, TimeProvider clock)
{
    private readonly StringBuilder _text = new();

    /// <summary>The open message's; null: none is open.</summary>
    private string? _id;
    private DateTimeOffset _createdAt;
    private List<Annotation> _annotations = [];

    /// <summary>Characters of the whole answer so far, in which the places of marks are counted.</summary>
    private int _seen;

    /// <summary>Whether the user has been shown any words of the answer.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether a message would begin with this piece: one behind something else needs no blank line before it.</summary>
    public bool Begins(string piece) => _id is null && piece.AsSpan().TrimStart('\n').Length > 0;

    /// <param name="isAnswer">False for words of a refusal, in which no marks are looked for.</param>
    public StreamEvent[] Say(string piece, bool isAnswer)
    {
        _seen += isAnswer ? piece.Length : 0;
        if (_id is not null)
        {
            return [Append(_id, piece)];
        }

        if (!Begins(piece))
        {
            return [];
        }

        (_id, _createdAt, _annotations, HasBegun) = (newId(ItemKind.Message), clock.GetUtcNow(), [], true);
        _text.Clear();
        return
        [
            new ThreadItemAddedEvent { Item = Item(_id, []) },
            Update(_id, new ContentPartAdded { ContentIndex = 0, Content = new() { Text = "" } }),
            Append(_id, piece.TrimStart('\n')),
        ];
    }

    public StreamEvent[] Cite(BotEvent.Cited cited)
    {
        // Counted from the end, which the message and the answer have in common.
        var index = _text.Length - (_seen - cited.End);
        if (_id is null || index < 0 || index > _text.Length)
        {
            // Of a message that has ended since.
            return [];
        }

        var (title, url, _, file) = cited.Source;
        Source source = url is not null
            ? new UrlSource { Title = title, Url = url }
            : new FileSource { Title = title, Filename = file is { Length: > 0 } ? file : title };
        var annotation = new Annotation { Source = source, Index = index };
        _annotations.Add(annotation);
        return [Update(_id, new ContentPartAnnotationAdded { ContentIndex = 0, AnnotationIndex = _annotations.Count - 1, Annotation = annotation })];
    }

    /// <summary>Ends the message that is open, as done.</summary>
    public StreamEvent[] End()
    {
        if (_id is not { } id)
        {
            return [];
        }

        _id = null;
        var content = new AssistantMessageContent { Text = _text.ToString(), Annotations = _annotations };
        return
        [
            Update(id, new ContentPartDone { ContentIndex = 0, Content = content }),
            new ThreadItemDoneEvent { Item = Item(id, [content]) },
        ];
    }

    private ThreadItemUpdatedEvent Append(string id, string piece)
    {
        _text.Append(piece);
        return Update(id, new ContentPartTextDelta { ContentIndex = 0, Delta = piece });
    }

    private AssistantMessageItem Item(string id, IReadOnlyList<AssistantMessageContent> content) =>
        new() { Id = id, ThreadId = thread.Id, CreatedAt = _createdAt, Content = content };

    private static ThreadItemUpdatedEvent Update(string id, ThreadItemUpdate update) => new() { ItemId = id, Update = update };
}
