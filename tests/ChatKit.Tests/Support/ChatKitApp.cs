using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ChatKit.Tests.Support;

/// <summary>The endpoint at <c>/chatkit</c> of a real Kestrel on a loopback port. The user is the header <c>X-User</c>.</summary>
public sealed class ChatKitApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private ChatKitApp(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());
        _client = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    /// <param name="server">Finds the server of a request.</param>
    public static async Task<ChatKitApp> StartAsync(
        Func<HttpContext, ChatKitServer<Caller>> server, ChatKitEndpointOptions? options = null, CancellationToken cancel = default)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapChatKit("/chatkit", server, CallerOf, options);
        await app.StartAsync(cancel);
        return new ChatKitApp(app);
    }

    /// <summary>The headers of the answer, as soon as they are there; the body is to be read.</summary>
    public Task<HttpResponseMessage> PostAsync(
        ReadOnlyMemory<byte> body, CancellationToken cancel, string? contentType = "application/json", bool chunked = false, HttpMethod? method = null)
    {
        HttpContent content = chunked ? new StreamContent(new MemoryStream(body.ToArray())) : new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        var request = new HttpRequestMessage(method ?? HttpMethod.Post, "/chatkit") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Add("X-User", "ann");
        return _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    public Task<HttpResponseMessage> PostAsync(string body, CancellationToken cancel) => PostAsync(Encoding.UTF8.GetBytes(body), cancel);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    private static ValueTask<Caller> CallerOf(HttpContext http) => http.Request.Headers["X-User"] is [{ } user]
        ? ValueTask.FromResult(new Caller(user))
        : throw new RequestRefusedException(401, "no_user", "Say who you are.");
}
