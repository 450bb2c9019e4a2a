using Gateway.Benchmarks;
using Gateway.Benchmarks.Allocations;
using Gateway.Benchmarks.Load;

// deploy/bench.sh calls `run`, which starts the others. Each server runs until SIGTERM.
switch (args)
{
    case ["run", .. var run]:
        return await BenchRun.RunAsync(run, Console.Out);
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
    default:
        Console.Error.WriteLine(
            "usage: run OPTIONS | upstream URL [HTTP2-URL] | load KIND OPTIONS | allocations WHAT | yarp URL UPSTREAM-URL (deploy/bench.sh calls run)");
        return 2;
}
