using System.Text;

namespace ChatKit;

/// <summary>
/// Items that have begun and are not done, with their updates applied: what the client shows of them. They share nothing
/// with the handler's objects.
/// </summary>
internal sealed class PendingItems
{
    private readonly OrderedDictionary<string, Pending> _items = new(StringComparer.Ordinal);

    /// <summary>As they stand, in the order in which they began.</summary>
    public IReadOnlyList<ThreadItem> Items => [.. _items.Values.Select(pending => pending.Item)];

    public bool IsHidden(string id) => _items.TryGetValue(id, out var pending) && pending.Item.IsHidden;

    public void Begin(ThreadItem item) =>
        _items[item.Id] = item is AssistantMessageItem message ? new PendingMessage(message) : new Pending(ChatKitJson.Copy(item));

    public void End(string id) => _items.Remove(id);

    /// <summary>Updates of items that are not pending, and of kinds that are not saved before they are done, do nothing.</summary>
    public void Apply(string id, ThreadItemUpdate update)
    {
        if (_items.TryGetValue(id, out var pending))
        {
            pending.Apply(update);
        }
    }

    private class Pending(ThreadItem item)
    {
        private ThreadItem _item = item;

        public virtual ThreadItem Item => _item;

        public virtual void Apply(ThreadItemUpdate update)
        {
            if (_item is WorkflowItem workflow)
            {
                _item = workflow with { Workflow = workflow.Workflow with { Tasks = Applied(workflow.Workflow.Tasks, update) } };
            }
        }

        private static IReadOnlyList<ChatTask> Applied(IReadOnlyList<ChatTask> tasks, ThreadItemUpdate update) => update switch
        {
            WorkflowTaskAdded added => [.. tasks, added.Task],
            WorkflowTaskUpdated changed => [.. tasks.Select((task, index) => index == changed.TaskIndex ? changed.Task : task)],
            _ => tasks,
        };
    }

    /// <summary>Text comes in many small pieces: it is put together when it is asked for.</summary>
    private sealed class PendingMessage(AssistantMessageItem item) : Pending(item)
    {
        private readonly List<Part> _parts = [.. item.Content.Select(content => new Part(content))];

        public override ThreadItem Item => item with
        {
            Content = [.. _parts.Select(part => new AssistantMessageContent { Text = part.Text.ToString(), Annotations = [.. part.Annotations] })],
        };

        public override void Apply(ThreadItemUpdate update)
        {
            switch (update)
            {
                case ContentPartAdded added:
                    _ = At(added.ContentIndex);
                    _parts[added.ContentIndex] = new Part(added.Content);
                    break;
                case ContentPartDone done:
                    _ = At(done.ContentIndex);
                    _parts[done.ContentIndex] = new Part(done.Content);
                    break;
                case ContentPartTextDelta delta:
                    At(delta.ContentIndex).Text.Append(delta.Delta);
                    break;
                case ContentPartAnnotationAdded annotation:
                    var annotations = At(annotation.ContentIndex).Annotations;
                    annotations.Insert(Math.Min(annotation.AnnotationIndex, annotations.Count), annotation.Annotation);
                    break;
            }
        }

        private Part At(int index)
        {
            while (index >= _parts.Count)
            {
                _parts.Add(new Part(new AssistantMessageContent { Text = string.Empty }));
            }

            return _parts[index];
        }
    }

    private sealed class Part(AssistantMessageContent content)
    {
        public StringBuilder Text { get; } = new(content.Text);

        public List<Annotation> Annotations { get; } = [.. content.Annotations];
    }
}
