using Gateway.Tests.Support;

namespace Gateway.Tests.Performance;

/// <summary>
/// Budgets for what is allocated, which do not depend on how fast a machine is. One that is exceeded names code that allocates
/// and did not before; how to find it says tests/Gateway.Benchmarks' own <c>allocations</c> command, run under a profiler.
/// </summary>
public class AllocationTests(TestPostgres postgres)
{
    /// <summary>Of several thousand chunks or requests, what some other thread of the process allocates is less for each.</summary>
    private const double Noise = 0.5;

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

        TestContext.Current.SendDiagnosticMessage(figures.ToString());
        Assert.True(figures.GatewayPerChunk <= figures.YarpPerChunk + 16 + Noise, figures.ToString());
        Assert.True(figures.GatewayPerRequest <= 1, figures.ToString());
        Assert.True(figures.GatewayPerStream <= 1, figures.ToString());
    }
}
