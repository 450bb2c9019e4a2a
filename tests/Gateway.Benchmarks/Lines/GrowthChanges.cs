using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Benchmarks.Systems;

namespace Gateway.Benchmarks.Lines;

/// <summary>Changes of the configuration through the management API, each of which every gateway reads.</summary>
internal static class GrowthChanges
{
    private const int WarmUps = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static int _made;

    /// <summary>
    /// Makes the bot and the model that are changed then; what a file made, the API cannot change. Changes them some times, since
    /// the first changes of a process are its compiler's work and not the configuration's.
    /// </summary>
    public static async Task PrepareAsync(GatewayServer gateway, CancellationToken cancel)
    {
        await gateway.SendAsync(HttpMethod.Post, "/admin/v1/models", new JsonObject
        {
            ["name"] = "changing",
            ["deployments"] = new JsonArray(new JsonObject { ["provider"] = "bench", ["model"] = "bench" }),
        }, cancel);
        await gateway.SendAsync(HttpMethod.Post, "/admin/v1/bots", new JsonObject
        {
            ["workspace"] = "default",
            ["id"] = "changing",
            ["model"] = "bench",
            ["backstory"] = "You change.",
        }, cancel);
        for (var changes = 0; changes < WarmUps; changes++)
        {
            await ChangeAsync(gateway, cancel);
        }
    }

    /// <summary>Changes the bot and the model by turns, one each second.</summary>
    public static async Task MakeUntilAsync(GatewayServer gateway, Task end, CancellationToken cancel)
    {
        while (!end.IsCompleted)
        {
            await ChangeAsync(gateway, cancel);
            await Task.WhenAny(end, Task.Delay(Pause, cancel));
        }
    }

    private static async Task ChangeAsync(GatewayServer gateway, CancellationToken cancel)
    {
        var number = ++_made;
        await (number % 2 == 0
            ? gateway.SendAsync(HttpMethod.Patch, "/admin/v1/models/changing", new JsonObject { ["default_output_tokens"] = 1_000 + number }, cancel)
            : gateway.SendAsync(HttpMethod.Patch, "/admin/v1/bots/changing?workspace=default", new JsonObject
            {
                ["description"] = string.Create(CultureInfo.InvariantCulture, $"Changed {number} times."),
            }, cancel));
    }
}
