using Gateway.Tests.Support;

namespace Gateway.Tests.Sdk;

/// <summary>A test through an official SDK. Whatever it asserts itself, every raw reply it caused must follow OpenAI's schemas.</summary>
[Collection(SdkTestsShareOneGateway.Name)]
public abstract class SdkTest(SdkSetup setup) : IAsyncLifetime
{
    protected SdkSetup Setup { get; } = setup;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Set by tests whose upstream is cut between finish_reason and usage.</summary>
    protected bool UsageMayBeMissing { get; set; }

    public ValueTask InitializeAsync()
    {
        Setup.Upstream.Reset();
        Setup.Proxy.Reset();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        // A test that failed before its first request has said enough.
        if (Setup.Proxy.Arrived > 0)
        {
            await ReplyContract.AssertAllValidAsync(Setup.Proxy, Setup.Schemas, Cancel, UsageMayBeMissing);
        }

        GC.SuppressFinalize(this);
    }
}
