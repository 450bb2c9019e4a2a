using System.Runtime.CompilerServices;

namespace ChatKit.Widgets;

/// <summary>Makes the events that show a widget, at once or while it comes into being.</summary>
public static class WidgetEvents
{
    /// <summary>The event for a widget that is complete.</summary>
    /// <param name="item">The widget with its id, thread, time and copy text.</param>
    public static ThreadItemDoneEvent Of(WidgetItem item) => new() { Item = item };

    /// <summary>
    /// The events for a widget that changes: it is added in its first state, updated for each further one with what
    /// <see cref="WidgetDiff"/> finds, and done in its last, in which it is stored. No state gives no event.
    /// </summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="itemId">A new id of the kind for messages.</param>
    /// <param name="createdAt">When the widget begins.</param>
    /// <param name="states">Whole trees, each one complete. They are taken one at a time, as the events are.</param>
    /// <param name="copyText">What the copy button puts on the clipboard; null: no such button.</param>
    /// <param name="cancel">Ends the sequence with <see cref="OperationCanceledException"/>; the widget then is not done.</param>
    public static async IAsyncEnumerable<StreamEvent> OfAsync(
        string threadId, string itemId, DateTimeOffset createdAt, IAsyncEnumerable<WidgetRoot> states, string? copyText = null,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(states);
        WidgetItem? item = null;
        await foreach (var state in states.WithCancellation(cancel))
        {
            if (item is null)
            {
                item = new WidgetItem { Id = itemId, ThreadId = threadId, CreatedAt = createdAt, Widget = state, CopyText = copyText };
                yield return new ThreadItemAddedEvent { Item = item };
                continue;
            }

            foreach (var update in WidgetDiff.Between(item.Widget, state))
            {
                yield return new ThreadItemUpdatedEvent { ItemId = itemId, Update = update };
            }

            item = item with { Widget = state };
        }

        if (item is not null)
        {
            yield return Of(item);
        }
    }
}
