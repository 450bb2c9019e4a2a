namespace ChatKit;

/// <summary>Puts a user's answers into the questions.</summary>
internal static class StructuredInputAnswers
{
    /// <summary>
    /// The item with its answers. A question without one, or with one that holds nothing, counts as skipped; a single choice
    /// keeps the first value.
    /// </summary>
    /// <param name="unknown">How many answers belong to none of the questions. They are ignored.</param>
    public static StructuredInputItem Apply(StructuredInputItem item, StructuredInputSubmission submission, out int unknown)
    {
        var ids = item.Inputs.Select(input => input.Id).ToHashSet(StringComparer.Ordinal);
        unknown = submission.Answers.Keys.Count(id => !ids.Contains(id));
        return item with
        {
            Status = submission.Status == SubmissionStatus.Skipped ? StructuredInputStatus.Skipped : StructuredInputStatus.Answered,
            Inputs = [.. item.Inputs.Select(input => input with { Answer = AnswerTo(input, submission) })],
        };
    }

    private static StructuredInputAnswer AnswerTo(StructuredInput input, StructuredInputSubmission submission)
    {
        if (submission.Status == SubmissionStatus.Skipped
            || !submission.Answers.TryGetValue(input.Id, out var answer) || answer.Skipped || answer.Values.Count == 0)
        {
            return new StructuredInputAnswer { Skipped = true };
        }

        return new StructuredInputAnswer { Values = input is MultipleChoiceInput { Multiple: false } ? [answer.Values[0]] : answer.Values };
    }
}
