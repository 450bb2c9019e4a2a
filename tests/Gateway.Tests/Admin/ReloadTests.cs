using System.Net;
using System.Text;
using Gateway.Tests.Chat;
using Gateway.Tests.Support;

namespace Gateway.Tests.Admin;

/// <summary>A configuration that changes under running requests: each of them ends with the one that it began with.</summary>
public sealed class ReloadTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_goes_on_to_its_end_while_its_model_moves_and_is_removed_and_a_bad_file_changes_nothing()
    {
        await using var first = await FakeUpstream.StartAsync();
        await using var second = await FakeUpstream.StartAsync();
        var proceed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Answers(Answer.By(http => HalfAndTheRestAsync(http, proceed.Task)), Answer.Json(Replies.Completion("m", "from the first")));
        second.Answers(Answer.Json(Replies.Completion("m", "from the second")));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = await postgres.CreateDatabaseAsync(cancel: Cancel), Yaml = Yaml(Models("m", first)) }, Cancel);
        using var client = gateway.Client((await gateway.CreateKeyAsync(cancel: Cancel)).Text);
        using var opened = await OpenAsync(client);

        // A bad file: what was there serves on.
        await System.IO.File.WriteAllTextAsync(gateway.YamlFile, Yaml(Models("m", second, ", retries: 9")), Cancel);
        await UntilAsync(() => Task.FromResult(gateway.Output.Contains("models[0].retries: expected a whole number from 0 to 5", StringComparison.Ordinal)), gateway);
        var meanwhile = await AskAsync(client);

        // A good one: new requests go elsewhere.
        await System.IO.File.WriteAllTextAsync(gateway.YamlFile, Yaml(Models("m", second)), Cancel);
        await UntilAsync(async () => (await AskAsync(client)).Text.Contains("from the second", StringComparison.Ordinal), gateway);

        // And one without the model, which the stream still uses.
        await System.IO.File.WriteAllTextAsync(gateway.YamlFile, Yaml(Models("other", second)), Cancel);
        var pruned = await gateway.RunCommandAsync(["apply", "-f", gateway.YamlFile, "--prune"], Cancel);
        await UntilAsync(async () => (await AskAsync(client)).Status == HttpStatusCode.NotFound, gateway);
        proceed.SetResult();
        var stream = await opened.Content.ReadAsStringAsync(Cancel);

        Assert.Contains("from the first", meanwhile.Text, StringComparison.Ordinal);
        Assert.Contains("- model m", pruned.Output, StringComparison.Ordinal);
        Assert.Equal("Hello, world", Transcript.ContentOf(Encoding.UTF8.GetBytes(stream)));
        Assert.EndsWith(Wire.Done, stream, StringComparison.Ordinal);
    }

    private static async Task HalfAndTheRestAsync(Microsoft.AspNetCore.Http.HttpContext http, Task proceed)
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.Body.WriteAsync(Wire.Bytes(Wire.Role() + Wire.Text("Hello, ")), http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
        await proceed.WaitAsync(http.RequestAborted);
        await http.Response.Body.WriteAsync(Wire.Bytes(Wire.Text("world") + Wire.Finish() + Wire.Done), http.RequestAborted);
    }

    private static string Models(string name, FakeUpstream at, string more = "") => $$"""
        providers: [ { name: p, baseUrl: "{{at.BaseUrl}}" } ]
        models:
          - { name: {{name}}, deployments: [ { provider: p } ]{{more}} }
        """;

    private static string Yaml(string models) => $"{models}\nworkspaces: [ {{ name: default }} ]\n";

    /// <summary>Answers when the first content is there.</summary>
    private static async Task<HttpResponseMessage> OpenAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(Wire.Ask("model/name=m"), Encoding.UTF8, "application/json"),
        };
        var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return reply;
    }

    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(HttpClient client)
    {
        using var content = new StringContent(Wire.Ask("model/name=m", stream: false), Encoding.UTF8, "application/json");
        using var reply = await client.PostAsync("/v1/chat/completions", content, Cancel);
        return (reply.StatusCode, await reply.Content.ReadAsStringAsync(Cancel));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, GatewayProcess gateway)
    {
        for (var tries = 0; tries < 1_200; tries++)
        {
            if (await condition())
            {
                return;
            }

            await Task.Delay(50, Cancel);
        }

        Assert.Fail($"It did not come true within 60 s.\n{gateway.LastWords}");
    }
}
