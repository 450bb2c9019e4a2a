using System.Globalization;
using System.Text;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Http;

/// <summary>What a burst took in memory goes back to the system when nobody asks for anything any more.</summary>
public sealed class IdleMemoryTests(TestPostgres postgres) : IAsyncDisposable
{
    private const int Bodies = 480;
    private const int BodyBytes = 300_000;

    /// <summary>
    /// Of what the bodies took, the shared pool keeps 32 buffers for each processor, of which this gateway has two, and more of a
    /// buffer than its body took once it is moved; half is left to that and to whatever else the process does.
    /// </summary>
    private const long Expected = (long)(Bodies - 64) * BodyBytes / 2;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private FakeUpstream? _upstream;
    private GatewayProcess? _gateway;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_of_a_burst_is_given_back_though_its_connections_are_kept()
    {
        // Arrange: an upstream that answers nobody before all have asked.
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _upstream = await FakeUpstream.StartAsync();
        _upstream.Answers(async (http, _) =>
        {
            await released.Task.WaitAsync(http.RequestAborted);
            await http.Response.WriteAsync("{}", http.RequestAborted);
        });
        _gateway = await StartAsync(_upstream);
        using var client = _gateway.Client((await _gateway.CreateKeyAsync(cancel: Cancel)).Text);
        var body = Encoding.UTF8.GetBytes(
            $$"""{"model":"model/name=held","messages":[{"role":"user","content":"{{new string('x', BodyBytes)}}"}]}""");

        // Act
        var burst = Task.WhenAll(Enumerable.Range(0, Bodies).Select(_ => AskAsync(client, body)));
        for (var asked = 0; asked < Bodies; asked++)
        {
            await _upstream.NextRequestAsync(Cancel);
        }

        var most = ResidentBytes();
        released.SetResult();

        // Assert
        Assert.All(await burst, status => Assert.Equal(200, status));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Limit);
        while (ResidentBytes() > most - Expected)
        {
            await Task.Delay(200, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }
    }

    private async Task<GatewayProcess> StartAsync(FakeUpstream upstream)
    {
        var connection = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using (var seed = await Seed.OpenAsync(connection, Cancel))
        {
            seed.AddModel("held", seed.AddProvider("fake", upstream.BaseUrl));
            seed.AddWorkspace("default");
            await seed.SaveAsync(Cancel);
        }

        return await GatewayProcess.StartAsync(
            new GatewayLaunch
            {
                ConnectionString = connection,
                Settings = new Dictionary<string, string> { ["DOTNET_PROCESSOR_COUNT"] = "2" },
            },
            Cancel);
    }

    private static async Task<int> AskAsync(HttpClient client, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        using var reply = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, Cancel);
        return (int)reply.StatusCode;
    }

    private long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{_gateway!.ProcessId}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1_024;
    }
}
