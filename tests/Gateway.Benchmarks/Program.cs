using Gateway.Benchmarks;
using Gateway.Benchmarks.Allocations;
using Gateway.Benchmarks.Load;

// The parts of deploy/bench.sh that are programs. Each server runs until SIGTERM.
switch (args)
{
    case ["upstream", var url]:
        await BenchUpstream.RunAsync(url);
        return 0;
    case ["upstream", var url, var http2Url]:
        await BenchUpstream.RunAsync(url, http2Url);
        return 0;
    case ["yarp", var url, var upstream]:
        await BareYarp.RunAsync(url, upstream);
        return 0;
    case ["load", .. var load]:
        return LoadCommand.Run(load, Console.Out, Console.Error);
    case ["allocations", .. var what]:
        return await AllocationsCommand.RunAsync(what, Console.Out);
    case ["report", var measurements]:
        return Report.Write(await File.ReadAllLinesAsync(measurements), Console.Out);
    default:
        Console.Error.WriteLine(
            "usage: upstream URL [HTTP2-URL] | load KIND OPTIONS | allocations WHAT | yarp URL UPSTREAM-URL | report FILE (deploy/bench.sh runs them together)");
        return 2;
}
