using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

/// <summary>An upload for which there is no room on disk.</summary>
public sealed class FullDiskTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_that_the_disk_does_not_take_is_refused_and_leaves_nothing_behind()
    {
        // Arrange: the system lets no file grow beyond 256 KiB any more, which a write sees as it sees a full disk.
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel), Prelude = "trap '' XFSZ" }, Cancel);
        using var client = gateway.Client((await gateway.CreateKeyAsync(cancel: Cancel)).Text);
        await LimitFilesAsync(gateway.ProcessId, "262144:unlimited");

        // Act
        var (status, code, retryAfter) = await UploadAsync(client, bytes: 1_000_000);

        // Assert
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "disk_full"), (status, code));
        Assert.True(retryAfter);
        Assert.Contains("No room on disk", gateway.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(gateway.DataDirectory, "spool")));
        Assert.DoesNotContain(
            Directory.GetFiles($"/proc/{gateway.ProcessId}/fd").Select(file => new FileInfo(file).LinkTarget ?? ""),
            target => target.Contains("/spool/", StringComparison.Ordinal));

        // With room again all is well: the demo's model has no ears, and says so itself.
        await LimitFilesAsync(gateway.ProcessId, "unlimited:unlimited");
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, (await UploadAsync(client, bytes: 1_000_000)).Status);
    }

    private static async Task LimitFilesAsync(int process, string limits)
    {
        var limited = await ChildProcess.RunAsync(
            "prlimit", ["--pid", process.ToString(CultureInfo.InvariantCulture), $"--fsize={limits}"], TimeSpan.FromSeconds(10), cancel: Cancel);
        Assert.True(limited.ExitCode == 0, limited.ToString());
    }

    private static async Task<(HttpStatusCode Status, string? Code, bool RetryAfter)> UploadAsync(HttpClient client, int bytes)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("model/name=demo"), "model" },
            { new ByteArrayContent(new byte[bytes]), "file", "speech.wav" },
        };
        using var reply = await client.PostAsync("/v1/audio/transcriptions", form, Cancel);
        var error = JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))?["error"];
        return (reply.StatusCode, (string?)error?["code"], reply.Headers.RetryAfter is not null);
    }
}
