using System.Collections.Concurrent;
using System.Text;

namespace Gateway.Upstream;

/// <summary>A parameter that an upstream does not take.</summary>
/// <param name="Value">Only with this value, as it was sent; null: with any.</param>
internal readonly record struct Unsupported(string Name, string? Value);

/// <summary>
/// What providers said they do not take, kept for ten minutes, so that only the first request pays for finding out.
/// </summary>
internal sealed class Adjustments(TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    /// <summary>Dropping these changes how an answer is made, not what it means. Nothing else is ever dropped.</summary>
    private static readonly HashSet<string> Droppable = new(StringComparer.Ordinal)
    {
        "temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "user", "metadata", "store",
        "service_tier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier",
        "verbosity", "reasoning_effort", "parallel_tool_calls", "stream_options",
    };

    private readonly ConcurrentDictionary<(string Provider, string Model), ConcurrentDictionary<Unsupported, DateTimeOffset>> _learned = new();

    public static bool IsDroppable(string name) => Droppable.Contains(name);

    /// <summary>The other name of the same limit, under which it is sent again; null for all other parameters.</summary>
    public static string? OtherName(string name) => name switch
    {
        "max_tokens" => "max_completion_tokens",
        "max_completion_tokens" => "max_tokens",
        _ => null,
    };

    public void Learn(string provider, string model, Unsupported parameter) =>
        _learned.GetOrAdd((provider, model), _ => new())[parameter] = clock.GetUtcNow() + Kept;

    /// <summary>What is known of a model at a provider. Null when nothing is, which costs one look.</summary>
    public IReadOnlyCollection<Unsupported>? Known(string provider, string model)
    {
        if (!_learned.TryGetValue((provider, model), out var known))
        {
            return null;
        }

        var now = clock.GetUtcNow();
        foreach (var (parameter, until) in known)
        {
            if (until <= now)
            {
                known.TryRemove(new(parameter, until));
            }
        }

        return known.IsEmpty ? null : [.. known.Keys];
    }

    public static string ValueOf(ReadOnlySpan<byte> json) => Encoding.UTF8.GetString(json);
}
