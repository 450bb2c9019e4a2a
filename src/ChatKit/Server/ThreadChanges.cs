using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>What a handler changed in a thread since the last time it was saved.</summary>
internal sealed class ThreadChanges
{
    private readonly ChatThread _thread;
    private string? _title;
    private ThreadStatus _status;
    private IReadOnlyList<string>? _domains;
    private JsonObject _metadata;

    public ThreadChanges(ChatThread thread)
    {
        _thread = thread;
        (_title, _status, _domains, _metadata) = Copy(thread);
    }

    public bool Any => IsTitleNew || IsStatusNew || AreDomainsNew || IsMetadataNew;

    private bool IsTitleNew => _thread.Title != _title;

    private bool IsStatusNew => _thread.Status != _status;

    private bool AreDomainsNew => _domains is null || _thread.AllowedImageDomains is null
        ? !ReferenceEquals(_domains, _thread.AllowedImageDomains)
        : !_domains.SequenceEqual(_thread.AllowedImageDomains, StringComparer.Ordinal);

    private bool IsMetadataNew => !JsonNode.DeepEquals(_thread.Metadata, _metadata);

    /// <summary>
    /// Saves the changes, if there are any, and them alone: the user may have given the thread another title while the reply
    /// was streamed, and the thread may be gone, in which case saving it would bring it back.
    /// </summary>
    /// <returns>Whether there were changes.</returns>
    /// <exception cref="NotFoundException">The thread was deleted meanwhile.</exception>
    public async Task<bool> SaveAsync<TContext>(ChatKitStore<TContext> store, TContext context, CancellationToken cancel)
    {
        if (!Any)
        {
            return false;
        }

        var stored = await store.LoadThreadAsync(_thread.Id, context, cancel);
        _thread.Title = IsTitleNew ? _thread.Title : stored.Title;
        _thread.Status = IsStatusNew ? _thread.Status : stored.Status;
        _thread.AllowedImageDomains = AreDomainsNew ? _thread.AllowedImageDomains : stored.AllowedImageDomains;
        _thread.Metadata = IsMetadataNew ? _thread.Metadata : stored.Metadata;
        var saved = Copy(_thread);
        await store.SaveThreadAsync(_thread, context, cancel);
        (_title, _status, _domains, _metadata) = saved;
        return true;
    }

    private static (string? Title, ThreadStatus Status, IReadOnlyList<string>? Domains, JsonObject Metadata) Copy(ChatThread thread) =>
        (thread.Title, thread.Status, thread.AllowedImageDomains?.ToArray(), (JsonObject)thread.Metadata.DeepClone());
}
