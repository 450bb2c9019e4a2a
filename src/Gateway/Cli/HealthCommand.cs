using System.CommandLine;
using System.Net.Security;
using System.Net.Sockets;
using Gateway.Data;

namespace Gateway.Cli;

/// <summary>Asks the gateway of this machine whether it takes requests. For health checks: it needs no database.</summary>
internal static class HealthCommand
{
    private const string DefaultUrls = "http://127.0.0.1:8080";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static Command Make()
    {
        var url = new Option<string>("--url")
        {
            Description = "Where it listens. Default: the first of ASPNETCORE_URLS, or http://127.0.0.1:8080.",
        };
        var command = new Command("health", "Ends with 0 when the gateway on this machine takes requests, else with 1.") { url };
        command.SetAction((parsed, cancel) => AskAsync(parsed.GetValue(url), cancel));
        return command;
    }

    /// <summary>An address to ask instead of one to listen on: <c>+</c>, <c>*</c>, <c>0.0.0.0</c> and <c>[::]</c> are loopback.</summary>
    /// <exception cref="SettingsException">It is no address.</exception>
    public static Uri Reachable(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url.Trim());
            var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;
            return new UriBuilder(address.Scheme, host, address.Port, $"{address.PathBase}/health/ready").Uri;
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException)
        {
            throw new SettingsException($"'{url}' is no address that can be asked; expected one such as {DefaultUrls}.");
        }
    }

    private static async Task<int> AskAsync(string? url, CancellationToken cancel)
    {
        url ??= CommandSettings.Configuration()["URLS"] is { Length: > 0 } set ? set : DefaultUrls;
        var address = Reachable(url.Split(';', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(""));
        using var client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            // The certificate names the public host and not the loopback address that is asked here.
            SslOptions = new() { RemoteCertificateValidationCallback = (_, _, _, errors) => address.IsLoopback || errors == SslPolicyErrors.None },
        });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Limit);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var reply = await client.SendAsync(request, limit.Token);
            await Console.Out.WriteLineAsync((await reply.Content.ReadAsStringAsync(limit.Token)).Trim());
            return reply.IsSuccessStatusCode ? 0 : Commands.Failed;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or SocketException)
        {
            await Console.Error.WriteLineAsync($"gateway: {address} does not answer: {failed.Message}");
            return Commands.Failed;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"gateway: {address} did not answer within {Limit.TotalSeconds:0} s");
            return Commands.Failed;
        }
    }
}
