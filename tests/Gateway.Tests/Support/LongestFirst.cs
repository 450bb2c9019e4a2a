using Gateway.Tests.Cli;
using Gateway.Tests.Data;
using Gateway.Tests.Support;
using Gateway.Tests.Usage;
using Gateway.Tests.Verify;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Gateway.Tests.Support;

/// <summary>
/// Begins with the classes that take longest, most of it waiting, so that the others run beside them: one that begins last
/// is waited for alone. All others keep their order.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        .. new[]
        {
            typeof(SlowDatabaseTests), typeof(RetrievalTests), typeof(CommandTests), typeof(LostDatabaseTests), typeof(JournalRecoveryTests),
            typeof(CanaryTests), typeof(ParityTests), typeof(TwoGatewaysTests),
        }.Select(type => type.FullName!),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(PlaceOf)];

    // A class of no collection has one named after it.
    private static int PlaceOf<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection =>
        Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Contains($"{name} ", StringComparison.Ordinal)) is >= 0 and var place
            ? place
            : Longest.Length;
}
