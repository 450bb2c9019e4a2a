using System.Text;
using Gateway.Benchmarks.Load;
using Gateway.Bots;
using Gateway.Chat;

namespace Gateway.Benchmarks.Allocations;

/// <summary>From a chunk of the model's, through the event that a turn sees, to the bot's chunk.</summary>
internal static class BotAllocations
{
    private const int Chunks = 20_000;
    private const int Rounds = 3;

    private static ReadOnlySpan<byte> Mark => "data: "u8;

    /// <summary>Bytes: the piece as a string, and the event that holds it.</summary>
    private const double Wanted = 64;

    /// <returns>Bytes a chunk, for each kind of chunk.</returns>
    public static async Task<IReadOnlyDictionary<string, double>> CountAsync()
    {
        byte[][] texts = [.. UpstreamReplies.Events(BenchModel.Parse("bench"), withUsage: true).All[1..^3].Select(e => e[Mark.Length..^2])];
        byte[][] reasoning =
        [
            .. texts.Select(t => Encoding.UTF8.GetBytes(
                Encoding.UTF8.GetString(t).Replace("\"content\"", "\"reasoning_content\"", StringComparison.Ordinal))),
        ];
        return new Dictionary<string, double>
        {
            ["text"] = await AllocationMeter.PerUnitAsync(Chunks, Rounds, chunks => Run(texts, chunks), Wanted),
            ["reasoning"] = await AllocationMeter.PerUnitAsync(Chunks, Rounds, chunks => Run(reasoning, chunks), Wanted),
        };
    }

    private static Task Run(byte[][] chunks, int count)
    {
        var reader = new ChunkReader();
        using var writer = new BotReplyWriter("bot/id=bench", 1_700_000_000, wantsUsage: true, isLegacy: false, showsSteps: false);
        for (var i = 0; i < count; i++)
        {
            var events = reader.Read(chunks[i % chunks.Length]);
            for (var n = 0; n < events.Count; n++)
            {
                if (writer.Chunks(events[n]).IsEmpty)
                {
                    throw new InvalidOperationException("The bot's chunk is missing.");
                }
            }
        }

        return Task.CompletedTask;
    }
}
