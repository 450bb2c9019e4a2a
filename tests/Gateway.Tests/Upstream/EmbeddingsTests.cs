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
        _upstream.Answers(Answer.Refusal(429, retryAfter: "4"), Answer.Json(Reply));
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
    public async Task A_provider_that_breaks_off_every_try_cannot_be_reached()
    {
        _upstream.Answers(Answer.HangUp);

        var away = await Assert.ThrowsAsync<EmbeddingException>(() => EmbedAsync(Model(places: 1), "text", retries: 1));

        Assert.Equal((true, "connect"), (away.IsPassing, away.Outcome));
        Assert.Equal(2, _upstream.Requests.Count);
    }

    [Fact]
    public async Task Without_a_place_for_the_second_try_it_is_said_that_every_place_is_taken()
    {
        var model = Model(places: 1);
        _upstream.Answers(Answer.HangUp);
        var embedding = EmbedAsync(model, "text");
        await _upstream.NextRequestAsync(Cancel);

        // Between two tries: the place, and every place in the queue for it.
        using var taken = await model.Provider.Places!.AcquireAsync(1, Cancel);
        var queued = Enumerable.Range(0, 4).Select(_ => model.Provider.Places.AcquireAsync(1, Cancel).AsTask()).ToList();
        var busy = await Assert.ThrowsAsync<EmbeddingException>(() => embedding);

        Assert.Equal((true, "occupied"), (busy.IsPassing, busy.Outcome));
        taken.Dispose();
        foreach (var place in queued)
        {
            (await place).Dispose();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_leaves_is_told_of_nothing_else_and_what_was_sent_is_estimated(bool isSent)
    {
        // Arrange: a try that breaks, and then none that is answered, or one that finds no place.
        var model = Model(places: 1);
        _upstream.Answers(Answer.HangUp, (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted));
        var usage = Usage();
        using var left = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var place = isSent ? null : await model.Provider.Places!.AcquireAsync(1, Cancel);
        var embedding = EmbedAsync(model, "text", usage: usage, left: left.Token);
        if (isSent)
        {
            await _upstream.NextRequestAsync(Cancel);
            await _upstream.NextRequestAsync(Cancel);
        }

        // Act
        await left.CancelAsync();

        // Assert
        await Assert.ThrowsAsync<OperationCanceledException>(() => embedding);
        var attempt = Assert.Single(usage.Attempts);
        Assert.Equal(("caller_left", isSent, isSent), (attempt.Outcome, attempt.IsEstimated, attempt.InputTokens > 0));
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

    private async Task<float[][]> EmbedAsync(EmbeddingModel model, string text, bool isBackground = false, int retries = 4, RequestUsage? usage = null, CancellationToken? left = null) =>
        await new Embeddings(_transport).EmbedAsync(model, [text], usage ?? Usage(), new EmbeddingCall(retries, isBackground, () => "caller_left"), left ?? Cancel);

    private static RequestUsage Usage() =>
        new UsageJournal(TimeProvider.System).Begin(new UsageSubject(Guid.NewGuid(), Guid.Empty, "r", "ingest", "dataset/d", null));
}
