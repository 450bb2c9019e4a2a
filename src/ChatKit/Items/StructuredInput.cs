using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit;

/// <summary>Questions that the client shows in place of the composer while this is the newest item and pending.</summary>
public sealed record StructuredInputItem : ThreadItem
{
    /// <summary>Whether the user has answered. Pending by default.</summary>
    public StructuredInputStatus Status { get; init; }

    /// <summary>The questions, with their answers once there are any.</summary>
    public required IReadOnlyList<StructuredInput> Inputs { get; init; }
}

/// <summary>Whether questions have been answered.</summary>
[JsonConverter(typeof(WireEnumConverter<StructuredInputStatus>))]
public enum StructuredInputStatus
{
    /// <summary>Not yet.</summary>
    Pending,

    /// <summary>Answered, at least in part.</summary>
    Answered,

    /// <summary>The user skipped them all.</summary>
    Skipped,
}

/// <summary>One question.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(MultipleChoiceInput), "multiple_choice")]
[JsonDerivedType(typeof(FreeformInput), "freeform")]
public abstract record StructuredInput
{
    private protected StructuredInput()
    {
    }

    /// <summary>Unique within its item.</summary>
    public required string Id { get; init; }

    /// <summary>The question as shown.</summary>
    public required string Question { get; init; }

    /// <summary>The answer; null while pending.</summary>
    public StructuredInputAnswer? Answer { get; init; }
}

/// <summary>A question with suggested answers. The user may also type another.</summary>
public sealed record MultipleChoiceInput : StructuredInput
{
    /// <summary>The suggestions.</summary>
    public required IReadOnlyList<ChoiceOption> Options { get; init; }

    /// <summary>Whether several may be chosen. False by default.</summary>
    public bool Multiple { get; init; }
}

/// <summary>One suggestion.</summary>
public sealed record ChoiceOption
{
    /// <summary>Both what is shown and what is answered.</summary>
    public required string Value { get; init; }
}

/// <summary>A question with a free answer.</summary>
public sealed record FreeformInput : StructuredInput
{
    /// <summary>A sentence under the question.</summary>
    public string? Description { get; init; }
}

/// <summary>The answer to one question.</summary>
public sealed record StructuredInputAnswer
{
    /// <summary>What was chosen or typed, untrusted; empty by default and where the question was skipped.</summary>
    public IReadOnlyList<string> Values { get; init => field = value ?? []; } = [];

    /// <summary>Whether the user skipped the question. False by default.</summary>
    public bool Skipped { get; init; }
}
