using System.Globalization;

namespace Gateway.Tests.Verify;

/// <summary>Makes up the calls of a run: the same ones for the same seed.</summary>
internal static class Calls
{
    /// <summary>Models of the run: one deployment; two of which one carries on what the other broke off.</summary>
    public const string Plain = "plain";
    public const string Rescued = "rescued";
    public const string Bot = "helper";

    private static readonly Fault[] StreamFaults = [Fault.Cut, Fault.Cut, Fault.EndsEarly, Fault.Malformed, Fault.Fails, Fault.TooMany, Fault.Refuses];

    // A reply that is passed through is not read on its way, so that a wrong one is not noticed.
    private static readonly Fault[] EmbeddingFaults = [Fault.Cut, Fault.Fails, Fault.TooMany, Fault.Refuses];

    /// <param name="keys">One for each caller.</param>
    /// <param name="span">Over how long they are spread.</param>
    public static IReadOnlyList<Call> Make(Random random, int count, IReadOnlyList<string> keys, TimeSpan span)
    {
        var run = random.NextInt64(1L << 40).ToString("x", CultureInfo.InvariantCulture);
        return [.. Enumerable.Range(0, count).Select(i => Make(
            random, string.Create(CultureInfo.InvariantCulture, $"par-{run}-{i}"), keys[i % keys.Count], span * ((double)i / count)))];
    }

    private static Call Make(Random random, string id, string key, TimeSpan at)
    {
        var door = random.Next(10) switch { < 6 => Door.Model, < 8 => Door.Bot, _ => Door.Embedding };
        var isStream = door != Door.Embedding && random.Next(3) > 0;
        var words = random.Next(1, 25);
        var pace = random.Next(0, 25);
        var goesWrong = random.Next(100) < 12;
        var faults = door == Door.Embedding ? EmbeddingFaults : StreamFaults;
        var script = new Script(
            id, words, pace, goesWrong ? faults[random.Next(faults.Length)] : Fault.None, random.Next(words), random.Next(4) == 0);
        // As many leave in the middle of a reply as before its first word, or after its last.
        var leaves = random.Next(100) < 12 ? TimeSpan.FromMilliseconds(random.NextDouble() * ((words * pace * 1.2) + 5)) : (TimeSpan?)null;
        var selector = door switch
        {
            Door.Bot => $"bot/id={Bot}",
            _ => $"model/name={(random.Next(2) == 0 ? Plain : Rescued)}",
        };
        return new Call(script, door, isStream, selector, key, at, leaves);
    }
}
