using Gateway.Tests.Support;

namespace Gateway.Tests.Http;

/// <summary>A gateway whose management API listens on a port of its own, and which only some pages may call.</summary>
public sealed class PlacesTests(TestPostgres postgres) : IAsyncLifetime
{
    private readonly string _adminUrl = $"http://127.0.0.1:{FreePort.Next()}";
    private GatewayProcess _gateway = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await GatewayProcess.StartAsync(
        new GatewayLaunch
        {
            ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel),
            Settings = new Dictionary<string, string>
            {
                ["Gateway__AdminUrls"] = _adminUrl,
                ["Gateway__CorsOrigins"] = "https://app.test, https://other.test",
            },
        },
        Cancel);

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }
    }

    [Fact]
    public async Task Management_answers_on_its_own_port_alone_and_only_listed_pages_may_call()
    {
        // One start, since starting is what takes time here.
        await AdminIsOnItsOwnPort();
        await OnlyListedOriginsMayCall();
    }

    private async Task AdminIsOnItsOwnPort()
    {
        Assert.Equal(200, await StatusAsync(_adminUrl, "/admin/v1/keys"));
        foreach (var path in new[] { "/admin/v1/keys", "/Admin/v1/keys", "//admin//v1/keys/", "/%61dmin/v1/keys", "/metrics", "/METRICS" })
        {
            Assert.Equal((path, 404), (path, await StatusAsync(_gateway.BaseUrl, path)));
        }

        foreach (var path in new[] { "/v1/models", "/V1/models", "/v1/chat/completions" })
        {
            Assert.Equal((path, 404), (path, await StatusAsync(_adminUrl, path)));
        }

        Assert.Equal((200, 200), (await StatusAsync(_gateway.BaseUrl, "/health/ready"), await StatusAsync(_adminUrl, "/health/ready")));
    }

    private async Task OnlyListedOriginsMayCall()
    {
        foreach (var (origin, allowed) in new[]
        {
            ("https://app.test", "https://app.test"), ("https://other.test", "https://other.test"),
            ("https://evil.test", null), ("null", null), ("https://app.test.evil.test", null),
        })
        {
            foreach (var line in new[] { "OPTIONS /v1/models", "GET /v1/models" })
            {
                var reply = await RawConnection.SendAsync(
                    _gateway.BaseUrl, $"{line} HTTP/1.1\nOrigin: {origin}\nAccess-Control-Request-Method: GET", [], Cancel);

                Assert.Equal(allowed, reply.Headers.GetValueOrDefault("Access-Control-Allow-Origin"));
                // A cache must not give one page's answer to another.
                Assert.Equal("Origin", reply.Headers["Vary"]);
            }
        }
    }

    private static async Task<int> StatusAsync(string url, string path) => (await RawConnection.SendAsync(
        url, $"GET {path} HTTP/1.1\nAuthorization: Bearer {GatewayProcess.AdminKey}", [], Cancel)).Status;
}
