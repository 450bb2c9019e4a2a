namespace ChatKit;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">A thread or an item.</typeparam>
public sealed record Page<T>
{
    /// <summary>The elements, in the order asked for.</summary>
    public required IReadOnlyList<T> Data { get; init; }

    /// <summary>Whether more come after these. False by default.</summary>
    public bool HasMore { get; init; }

    /// <summary>The cursor of the next page: the id of the last element the store read for this one. Null when there is no more.</summary>
    public string? After { get; init; }
}
