using System.Runtime.CompilerServices;
using System.Text;

namespace ChatKit.Widgets;

/// <summary>Turns the deltas of a model into the states of a node that shows their text.</summary>
public static class TextAccumulation
{
    /// <summary>The states of a text: as given, with each delta appended, and at last no longer streaming.</summary>
    /// <param name="text">How the node looks, with an id. Its value is the beginning of the text.</param>
    /// <param name="deltas">What is appended.</param>
    /// <param name="cancel">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    public static async IAsyncEnumerable<Text> AccumulateAsync(
        this Text text, IAsyncEnumerable<string> deltas, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        await foreach (var (value, streaming) in ValuesAsync(text.Value, deltas, cancel))
        {
            yield return text with { Value = value, Streaming = streaming };
        }
    }

    /// <summary>The states of a Markdown text: as given, with each delta appended, and at last no longer streaming.</summary>
    /// <param name="markdown">How the node looks, with an id. Its value is the beginning of the text.</param>
    /// <param name="deltas">What is appended.</param>
    /// <param name="cancel">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    public static async IAsyncEnumerable<Markdown> AccumulateAsync(
        this Markdown markdown, IAsyncEnumerable<string> deltas, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(markdown);
        await foreach (var (value, streaming) in ValuesAsync(markdown.Value, deltas, cancel))
        {
            yield return markdown with { Value = value, Streaming = streaming };
        }
    }

    private static async IAsyncEnumerable<(string Value, bool Streaming)> ValuesAsync(
        string start, IAsyncEnumerable<string> deltas, [EnumeratorCancellation] CancellationToken cancel)
    {
        var text = new StringBuilder(start);
        yield return (start, true);
        await foreach (var delta in deltas.WithCancellation(cancel))
        {
            text.Append(delta);
            yield return (text.ToString(), true);
        }

        yield return (text.ToString(), false);
    }
}
