using Gateway.Data;
using Gateway.Http;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Http;

/// <summary>
/// A stream that is cut in the very moment of its first event: the event is written and not sent yet. Behind the real edge
/// and on a real socket; the moment is the one in which the headers are made.
/// </summary>
public sealed class EventStreamResponseTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task Cut_by_the_end_of_the_drain() => AssertBreaksAsync(
        "shutting_down",
        async (http, caller, cut) =>
        {
            RequestFacts.Of(http).IsCut = true;
            await caller.WriteAsync("data: {}\n\n"u8.ToArray(), cut);
        });

    [Fact]
    public Task Cut_by_a_failure_of_its_writer() => AssertBreaksAsync(
        "database_unavailable",
        async (_, caller, cut) =>
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller.WriteAsync("data: {}\n\n"u8.ToArray(), cut).AsTask());
            await caller.FailAsync(ApiError.DatabaseUnavailable());
        });

    private static async Task AssertBreaksAsync(string code, Func<HttpContext, EventStreamResponse, CancellationToken, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var settings = new GatewaySettings();
        app.Use(next => new Edge(
            async http =>
            {
                using var cut = new CancellationTokenSource();
                await using var caller = new EventStreamResponse(http, TimeProvider.System) { BeforeHeaders = cut.Cancel };
                await answer(http, caller, cut.Token);
            },
            // Nothing here asks for a key.
            null!, new Cors(settings), new AdminPorts(settings), new Drain(), TimeProvider.System, NullLogger<Edge>.Instance).InvokeAsync);
        await app.StartAsync(Cancel);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        var reply = await RawReply.ReadAsync(client, new HttpRequestMessage(HttpMethod.Get, "/v1/anything"), Cancel);

        Assert.Equal(200, reply.Status);
        Assert.Equal(StreamEnding.ErrorThenAbort, reply.Ending);
        Assert.Equal(2, Transcript.Events(reply.Body, mayBeCut: true).Count);
        Assert.Contains($"\"code\":\"{code}\"", reply.Text, StringComparison.Ordinal);
    }
}
