using Gateway.Tests.Support;

namespace Gateway.Tests.Performance;

/// <summary>
/// Budgets for what is allocated, which do not depend on how fast a machine is. One that is exceeded names code that allocates
/// and did not before: run <c>Gateway.Benchmarks allocations code</c> under <c>dotnet-trace collect --profile gc-verbose</c>.
/// </summary>
public class AllocationTests(TestPostgres postgres)
{
    /// <summary>Of several thousand chunks or requests, what some other thread of the process allocates is less for each.</summary>
    private const double Noise = 0.5;

    /// <summary>Bytes for a plain request, whatever is needed to serve, forward, limit and record it. Seen: 6,000 to 6,400; bare YARP 2,300 to 2,900.</summary>
    private const double PerRequest = 7_500;

    /// <summary>Bytes for a stream of one chunk. Seen: 8,500 to 8,600; bare YARP 3,300 to 3,500.</summary>
    private const double PerStream = 10_500;

    /// <summary>Bytes for a turn of a bot that has no tools of its own, on a stream of ten chunks. Seen: 14,300 to 15,400.</summary>
    private const double PerTurn = 17_500;

    [Fact]
    public async Task Our_own_code_allocates_nothing_for_a_chunk_of_a_model_and_a_bots_text_alone()
    {
        var figures = await AllocationRun.OfCodeAsync(TestContext.Current.CancellationToken);

        Assert.All(figures.RelayPerChunk!, kind => Assert.InRange(kind.Value, -Noise, Noise));
        // The piece as a string, and the event that holds it.
        Assert.All(figures.BotPerChunk!, kind => Assert.InRange(kind.Value, 0, 64 + Noise));
    }

    [Fact]
    public async Task Over_sockets_the_gateway_keeps_its_budgets()
    {
        var database = await postgres.CreateDatabaseAsync(cancel: TestContext.Current.CancellationToken);

        var figures = await AllocationRun.OfGatewayAsync(database, TestContext.Current.CancellationToken);

        Assert.True(figures.GatewayPerChunk <= figures.YarpPerChunk + 16 + Noise, figures.ToString());
        Assert.True(figures.GatewayPerRequest <= PerRequest, figures.ToString());
        Assert.True(figures.GatewayPerStream <= PerStream, figures.ToString());
        Assert.True(figures.GatewayPerTurn <= PerTurn, figures.ToString());
    }
}
