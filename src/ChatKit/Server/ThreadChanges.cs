using System.Text.Json.Nodes;

namespace ChatKit;

/// <summary>What a handler changed in a thread since the last time it was saved.</summary>
internal sealed class ThreadChanges(ChatThread thread)
{
    private ChatThread _known = Copy(thread);

    public bool Any => IsTitleNew || IsStatusNew || AreDomainsNew || IsMetadataNew;

    private bool IsTitleNew => thread.Title != _known.Title;

    private bool IsStatusNew => thread.Status != _known.Status;

    private bool AreDomainsNew => _known.AllowedImageDomains is null || thread.AllowedImageDomains is null
        ? !ReferenceEquals(_known.AllowedImageDomains, thread.AllowedImageDomains)
        : !_known.AllowedImageDomains.SequenceEqual(thread.AllowedImageDomains, StringComparer.Ordinal);

    private bool IsMetadataNew => !JsonNode.DeepEquals(thread.Metadata, _known.Metadata);

    /// <summary>
    /// Saves the changes, if there are any, and them alone: the user may have given the thread another title while the reply
    /// was streamed. What others changed is then in the thread too.
    /// </summary>
    /// <returns>Whether there were changes.</returns>
    /// <exception cref="NotFoundException">The thread was deleted meanwhile.</exception>
    public async Task<bool> SaveAsync<TContext>(ChatKitStore<TContext> store, TContext context, CancellationToken cancel)
    {
        if (!Any)
        {
            return false;
        }

        var (changed, title, status, domains, metadata) = (Copy(thread), IsTitleNew, IsStatusNew, AreDomainsNew, IsMetadataNew);
        _known = Copy(await store.UpdateThreadAsync(
            thread.Id,
            stored =>
            {
                stored.Title = title ? changed.Title : stored.Title;
                stored.Status = status ? changed.Status : stored.Status;
                stored.AllowedImageDomains = domains ? changed.AllowedImageDomains : stored.AllowedImageDomains;
                stored.Metadata = metadata ? (JsonObject)changed.Metadata.DeepClone() : stored.Metadata;
            },
            context,
            cancel));
        var others = Copy(_known);
        thread.Title = title ? thread.Title : others.Title;
        thread.Status = status ? thread.Status : others.Status;
        thread.AllowedImageDomains = domains ? thread.AllowedImageDomains : others.AllowedImageDomains;
        thread.Metadata = metadata ? thread.Metadata : others.Metadata;
        return true;
    }

    private static ChatThread Copy(ChatThread thread) => thread with
    {
        AllowedImageDomains = thread.AllowedImageDomains?.ToArray(),
        Metadata = (JsonObject)thread.Metadata.DeepClone(),
    };
}
