using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Upstream;

/// <summary>A parameter that an upstream does not take.</summary>
/// <param name="Value">Only with this value, as <see cref="Adjustments.ValueOf"/> gives it; null: with any.</param>
internal readonly record struct Unsupported(string Name, string? Value);

/// <summary>
/// What providers said they do not take, kept for ten minutes, so that only the first request pays for finding out.
/// </summary>
internal sealed class Adjustments(TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    /// <summary>Most that is remembered of one model at one provider: values are the callers' to make up.</summary>
    private const int MostKept = 64;

    /// <summary>
    /// Most pairs of provider and model: a model <c>*</c> takes names that callers make up. When it is full, all is
    /// forgotten, which costs each model one request that is sent twice.
    /// </summary>
    private const int MostModels = 10_000;

    private const int LongestValue = 64;

    /// <summary>Dropping these changes how an answer is made, not what it means. Nothing else is ever dropped.</summary>
    private static readonly HashSet<string> Droppable = new(StringComparer.Ordinal)
    {
        "temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "user", "metadata", "store",
        "service_tier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier",
        "verbosity", "reasoning_effort", "parallel_tool_calls", "stream_options",
    };

    private readonly ConcurrentDictionary<(string Provider, string Model), ConcurrentDictionary<Unsupported, DateTimeOffset>> _learned = new();

    private bool _hasLearned;

    public static bool IsDroppable(string name) => Droppable.Contains(name);

    /// <summary>The other name of the same limit, under which it is sent again; null for all other parameters.</summary>
    public static string? OtherName(string name) => name switch
    {
        "max_tokens" => "max_completion_tokens",
        "max_completion_tokens" => "max_tokens",
        _ => null,
    };

    public void Learn(string provider, string model, Unsupported parameter)
    {
        if (_learned.Count >= MostModels && !_learned.ContainsKey((provider, model)))
        {
            _learned.Clear();
        }

        Volatile.Write(ref _hasLearned, true);
        var known = _learned.GetOrAdd((provider, model), _ => new());
        if (known.Count >= MostKept)
        {
            known.TryRemove(known.MinBy(k => k.Value).Key, out _);
        }

        known[parameter] = clock.GetUtcNow() + Kept;
    }

    /// <summary>What is known of a model at a provider. Null when nothing is, which costs one look.</summary>
    public IReadOnlyCollection<Unsupported>? Known(string provider, string model)
    {
        if (!Volatile.Read(ref _hasLearned) || !_learned.TryGetValue((provider, model), out var known))
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

    /// <summary>What stands for a value: its JSON as it was sent, or that one's hash when it is long.</summary>
    public static string ValueOf(ReadOnlySpan<byte> json) =>
        json.Length <= LongestValue ? Encoding.UTF8.GetString(json) : Convert.ToHexString(SHA256.HashData(json));
}
