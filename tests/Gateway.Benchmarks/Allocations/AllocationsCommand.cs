using System.Globalization;
using System.Text.Json;

namespace Gateway.Benchmarks.Allocations;

/// <summary>
/// Counts allocations, in a process of its own since the count is the whole process's. Prints one line of JSON,
/// <see cref="AllocationFigures"/>.
/// <list type="bullet">
/// <item><c>allocations code</c>: our own code alone, between ends in memory.</item>
/// <item><c>allocations gateway UPSTREAM-PORT YARP-PORT</c>: the whole gateway in this process, and bare YARP beside it, over
/// sockets. The gateway's settings are in the environment; it must find an upstream with a model <c>bench</c> at the first port.</item>
/// </list>
/// </summary>
internal static class AllocationsCommand
{
    public static async Task<int> RunAsync(string[] args, TextWriter output)
    {
        AllocationFigures figures;
        switch (args)
        {
            case ["code"]:
                figures = new AllocationFigures
                {
                    RelayPerChunk = await RelayAllocations.CountAsync(),
                    BotPerChunk = await BotAllocations.CountAsync(),
                };
                break;
            case ["gateway", var upstreamPort, var yarpPort]:
                figures = await GatewayAllocations.CountAsync(
                    int.Parse(upstreamPort, CultureInfo.InvariantCulture), int.Parse(yarpPort, CultureInfo.InvariantCulture));
                break;
            default:
                return 2;
        }

        output.WriteLine(JsonSerializer.Serialize(figures, AllocationJson.Default.AllocationFigures));
        return 0;
    }
}
