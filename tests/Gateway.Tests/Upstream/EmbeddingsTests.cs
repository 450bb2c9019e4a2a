using Gateway.Tests.Support;
using Gateway.Upstream;
using Gateway.Usage;

namespace Gateway.Tests.Upstream;

/// <summary>How vectors are asked for where a provider has few places or little time.</summary>
public sealed class EmbeddingsTests : IAsyncLifetime
{
    private const string Reply = """{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.5]}],"usage":{"prompt_tokens":1,"total_tokens":1}}""";

    private readonly Transport _transport = new();
    private FakeUpstream _upstream = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _transport.Dispose();
    }

    [Fact]
    public async Task A_wait_between_tries_takes_no_place_at_the_provider()
    {
        _upstream.Answers(Answer.Refusal(429, retryAfter: "1"), Answer.Json(Reply));
        var model = Model(places: 1);
        var embedding = EmbedAsync(model, "text");
        await _upstream.NextRequestAsync(Cancel);

        using (var place = await model.Provider.Places!.AcquireAsync(1, Cancel))
        {
            // Given up before the second try, for which there is no place while we have it.
            Assert.True(place.IsAcquired);
            Assert.Single(_upstream.Requests);
        }

        var vector = Assert.Single(await embedding);
        Assert.Equal([0.5f, 0.5f], vector);
        Assert.Equal(2, _upstream.Requests.Count);
    }

    [Fact]
    public async Task A_long_wait_that_the_provider_asks_for_is_left_to_who_asked()
    {
        _upstream.Answers(Answer.Refusal(429, retryAfter: "60"));

        var busy = await Assert.ThrowsAsync<EmbeddingException>(() => EmbedAsync(Model(places: 1), "text"));

        Assert.Equal((true, TimeSpan.FromSeconds(60), "429"), (busy.IsPassing, busy.RetryAfter, busy.Outcome));
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task Work_in_the_background_leaves_half_of_the_places_to_who_waits()
    {
        var release = new TaskCompletionSource();
        _upstream.Answers(async (http, request) =>
        {
            await release.Task.WaitAsync(http.RequestAborted);
            await Answer.Json(Reply)(http, request);
        });
        var model = Model(places: 4);
        var background = Enumerable.Range(0, 6).Select(_ => EmbedAsync(model, "ingested", isBackground: true)).ToList();
        await _upstream.NextRequestAsync(Cancel);
        await _upstream.NextRequestAsync(Cancel);

        var asked = EmbedAsync(model, "asked");

        Assert.Equal("asked", (string?)(await _upstream.NextRequestAsync(Cancel)).Json["input"]![0]);
        Assert.Equal(1, model.Provider.Places!.GetStatistics()!.CurrentAvailablePermits);
        release.SetResult();
        await Task.WhenAll(background.Append(asked));
        Assert.Equal(4, model.Provider.Places.GetStatistics()!.CurrentAvailablePermits);
        Assert.Equal(7, _upstream.Requests.Count);
    }

    private EmbeddingModel Model(int places) => new("words", new Provider("fake", _upstream.BaseUrl, null, [], places), "words", 2, null);

    private async Task<float[][]> EmbedAsync(EmbeddingModel model, string text, bool isBackground = false)
    {
        var usage = new UsageJournal(TimeProvider.System).Begin(new UsageSubject(Guid.NewGuid(), Guid.Empty, "r", "ingest", "dataset/d", null));
        return await new Embeddings(_transport).EmbedAsync(model, [text], usage, 4, isBackground, Cancel);
    }
}
