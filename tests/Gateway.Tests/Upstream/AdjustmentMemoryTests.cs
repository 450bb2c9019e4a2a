using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

/// <summary>What is remembered of models whose names callers make up stays bounded.</summary>
public sealed class AdjustmentMemoryTests
{
    [Fact]
    public void Made_up_models_do_not_fill_the_memory()
    {
        var adjustments = new Adjustments(TimeProvider.System);
        const int Most = 10_000;
        var parameter = new Unsupported("seed", null);

        for (var i = 0; i < Most; i++)
        {
            adjustments.Learn("p", $"m{i}", parameter);
        }

        var full = Enumerable.Range(0, Most).Count(i => adjustments.Known("p", $"m{i}") is not null);
        adjustments.Learn("p", "m0", new Unsupported("user", null));
        var again = Enumerable.Range(0, Most).Count(i => adjustments.Known("p", $"m{i}") is not null);
        adjustments.Learn("p", "one more", parameter);

        Assert.Equal((Most, Most), (full, again));
        Assert.Equal(0, Enumerable.Range(0, Most).Count(i => adjustments.Known("p", $"m{i}") is not null));
        Assert.Equal([parameter], adjustments.Known("p", "one more"));
    }
}
