using System.IO.Compression;
using System.Text;
using Gateway.Bots.Egress;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bots.Egress;

/// <summary>The one way out for bots, against hostile targets and against real servers that misbehave.</summary>
public sealed class EgressGuardTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_hostile_target_is_reached()
    {
        await using var server = await OutsideServer.StartAsync(http => http.Response.WriteAsync("reached"));
        using var outside = Hostile("public.test");
        var wrong = new List<string>();

        foreach (var target in HostileTargets.All.Select(t => Of(t, server)))
        {
            try
            {
                await outside.Guard.SendAsync(Outside.Get(target, TimeSpan.FromSeconds(5)), Cancel);
                wrong.Add($"{target} was reached");
            }
            catch (EgressException refused) when (refused.Problem is EgressProblem.Refused || IsNoName(refused))
            {
            }
            catch (EgressException other)
            {
                wrong.Add($"{target}: {other.Problem} {other.Message}");
            }
        }

        Assert.True(HostileTargets.All.Distinct().Count() >= 60);
        Assert.Equal("", string.Join('\n', wrong));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task No_redirect_leads_to_a_hostile_target()
    {
        await using var hidden = await OutsideServer.StartAsync(http => http.Response.WriteAsync("reached"));
        await using var server = await OutsideServer.StartAsync(http =>
        {
            http.Response.StatusCode = 302;
            http.Response.Headers.Location = Of(HostileTargets.Redirects[int.Parse(http.Request.Path.Value![1..])], hidden);
            return Task.CompletedTask;
        });
        using var outside = Hostile("start.test");

        for (var i = 0; i < HostileTargets.Redirects.Length; i++)
        {
            var refused = await Assert.ThrowsAsync<EgressException>(
                () => outside.Guard.SendAsync(Outside.Get($"http://start.test:{server.Port}/{i}"), Cancel));

            Assert.Equal((HostileTargets.Redirects[i], EgressProblem.Refused), (HostileTargets.Redirects[i], refused.Problem));
        }

        Assert.Equal(HostileTargets.Redirects.Length, server.Requests.Count);
        Assert.Empty(hidden.Requests);
    }

    [Fact]
    public async Task A_name_is_looked_up_once_and_pinned_for_its_connection()
    {
        await using var server = await OutsideServer.StartAsync(http =>
        {
            http.Response.Headers.Connection = "close";
            return http.Response.WriteAsync(http.Request.Host.Host);
        });
        // Right when it is judged, the metadata service when it would be asked again.
        using var outside = new Outside("127.0.0.1").Name("turning.test", "127.0.0.1", "169.254.169.254");
        var url = $"http://turning.test:{server.Port}/";

        var reply = await outside.Guard.SendAsync(Outside.Get(url), Cancel);
        var lookUps = outside.LookUps.Count;
        var refused = await Assert.ThrowsAsync<EgressException>(() => outside.Guard.SendAsync(Outside.Get(url), Cancel));

        Assert.Equal(("turning.test", 1), (Encoding.UTF8.GetString(reply.Body), lookUps));
        Assert.Equal((EgressProblem.Refused, 1), (refused.Problem, server.Requests.Count));
        Assert.DoesNotContain("169.254", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_name_with_several_addresses_the_allowed_ones_are_used()
    {
        await using var server = await OutsideServer.StartAsync(http => http.Response.WriteAsync("hi"));
        using var outside = new Outside("127.0.0.1").Name("mixed.test", "10.0.0.1 fe80::1 127.0.0.1");

        var reply = await outside.Guard.SendAsync(Outside.Get($"http://mixed.test:{server.Port}/"), Cancel);

        Assert.Equal(200, reply.Status);
    }

    [Fact]
    public async Task What_the_operator_lists_is_reached_and_no_longer_when_it_is_taken_off()
    {
        await using var server = await OutsideServer.StartAsync(http => http.Response.WriteAsync("hi"));
        using var outside = new Outside().Name("searx.internal", "127.0.0.1");
        async Task<bool> Reaches(string host, params string[] allow)
        {
            outside.Allow(allow);
            try
            {
                return (await outside.Guard.SendAsync(Outside.Get($"http://{host}:{server.Port}/"), Cancel)).Status == 200;
            }
            catch (EgressException refused) when (refused.Problem == EgressProblem.Refused)
            {
                return false;
            }
        }

        Assert.True(await Reaches("searx.internal", "searx.internal"));
        Assert.True(await Reaches("SEARX.internal.", "Searx.Internal"));
        Assert.False(await Reaches("searx.internal"));
        Assert.False(await Reaches("searx.internal", "internal", "x.searx.internal", "10.0.0.0/8"));
        Assert.True(await Reaches("127.0.0.1", "127.0.0.1"));
        Assert.True(await Reaches("searx.internal", "127.1.2.3/8"));
        Assert.False(await Reaches("127.0.0.1", "searx.internal"));
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("224.0.0.1")]
    public void A_listed_name_opens_private_addresses_but_no_metadata_service(string address)
    {
        var ip = System.Net.IPAddress.Parse(address);

        Assert.False(new EgressAllow(["a.test"]).Allows("a.test", ip));
        Assert.True(new EgressAllow(["a.test"]).Allows("a.test", System.Net.IPAddress.Parse("10.0.0.1")));
        Assert.True(new EgressAllow([address]).Allows("a.test", ip));
    }

    [Theory]
    [InlineData("searx.internal", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.1.0.0/16", true)]
    [InlineData("fd00::/8", true)]
    [InlineData("[::1]", true)]
    [InlineData("10.1", false)]
    [InlineData("10.1.0.0/33", false)]
    [InlineData("10.1.0.0/-1", false)]
    [InlineData("http://searx.internal", false)]
    [InlineData("searx.internal:8080", false)]
    [InlineData("*.internal", false)]
    [InlineData("", false)]
    [InlineData("a..b", false)]
    public void Entries_of_the_list_are_names_addresses_and_networks(string entry, bool isRight) =>
        Assert.Equal(isRight, EgressAllow.Mistake(entry) is null);

    [Fact]
    public async Task A_redirect_within_the_place_keeps_credentials_and_one_to_another_drops_them()
    {
        await using var server = await OutsideServer.StartAsync(http =>
        {
            if (http.Request.Path.Value is "/same" or "/other")
            {
                http.Response.StatusCode = 302;
                http.Response.Headers.Location = http.Request.Path.Value == "/same" ? "/end" : $"http://b.test:{http.Request.Host.Port}/end";
            }

            return Task.CompletedTask;
        });
        using var outside = new Outside("a.test", "b.test").Name("a.test", "127.0.0.1").Name("b.test", "127.0.0.1");
        EgressHeader[] headers =
            [new("authorization", "Bearer a", false), new("Cookie", "b=c", false), new("x-key", "d", HoldsSecret: true), new("x-plain", "e", false)];

        foreach (var path in new[] { "same", "other" })
        {
            await outside.Guard.SendAsync(Outside.Get($"http://a.test:{server.Port}/{path}") with { Headers = headers }, Cancel);
        }

        string Sent(OutsideRequest request) =>
            string.Join(",", new[] { "authorization", "cookie", "x-key", "x-plain" }.Where(request.Headers.ContainsKey));
        Assert.Equal(
            ["/same authorization,cookie,x-key,x-plain", "/end authorization,cookie,x-key,x-plain", "/other authorization,cookie,x-key,x-plain", "/end x-plain"],
            server.Requests.Select(r => $"{r.Target} {Sent(r)}"));
    }

    [Theory]
    [InlineData("POST", 301, "GET", "")]
    [InlineData("POST", 302, "GET", "")]
    [InlineData("PUT", 302, "PUT", "x")]
    [InlineData("PUT", 303, "GET", "")]
    [InlineData("POST", 307, "POST", "x")]
    [InlineData("DELETE", 308, "DELETE", "x")]
    [InlineData("HEAD", 303, "HEAD", "")]
    public void A_redirect_changes_the_method_as_browsers_do(string method, int status, string becomes, string body)
    {
        var request = new EgressRequest(
            HttpMethod.Parse(method), new Uri("http://a.test/1"), [], method == "HEAD" ? null : "x"u8.ToArray(), TimeSpan.FromSeconds(1), 1);

        var next = request.Redirected(status, new Uri("http://a.test/2"));

        Assert.Equal((becomes, body), (next.Method.Method, Encoding.UTF8.GetString(next.Body ?? [])));
    }

    [Fact]
    public void A_body_is_not_taken_to_another_place()
    {
        var request = new EgressRequest(HttpMethod.Post, new Uri("http://a.test/"), [], "x"u8.ToArray(), TimeSpan.FromSeconds(1), 1);

        Assert.Throws<EgressException>(() => request.Redirected(307, new Uri("http://b.test/")));
        Assert.Throws<EgressException>(() => request.Redirected(308, new Uri("http://a.test:8080/")));
        // The same host, with encryption.
        Assert.Equal("https://a.test/", request.Redirected(308, new Uri("https://a.test/")).Url.AbsoluteUri);
    }

    [Fact]
    public async Task A_reply_is_read_within_its_limits_however_it_comes()
    {
        await using var server = await OutsideServer.StartAsync(AnswerBadlyAsync);
        using var outside = new Outside("127.0.0.1");
        Task<EgressReply> Ask(string path, double seconds = 30) =>
            outside.Guard.SendAsync(Outside.Get($"{server.Url}/{path}", TimeSpan.FromSeconds(seconds), 1_000), Cancel);

        var endless = await Ask("endless");
        var bomb = await Ask("bomb");
        var fits = await Ask("fits");
        var slow = await Assert.ThrowsAsync<EgressException>(() => Ask("slow", 0.3));
        var silent = await Assert.ThrowsAsync<EgressException>(() => Ask("silent", 0.3));
        var circle = await Assert.ThrowsAsync<EgressException>(() => Ask("circle"));
        var broken = await Assert.ThrowsAsync<EgressException>(() => Ask("broken"));

        Assert.Equal((1_000, true), (endless.Body.Length, endless.IsCut));
        Assert.Equal((1_000, true), (bomb.Body.Length, bomb.IsCut));
        Assert.Equal((1_000, false), (fits.Body.Length, fits.IsCut));
        Assert.Equal(
            [EgressProblem.TimedOut, EgressProblem.TimedOut, EgressProblem.Broken], new[] { slow, silent, circle }.Select(e => e.Problem));
        // Whether the headers arrived before the connection broke is the network's to say.
        Assert.True(broken.Problem is EgressProblem.Broken or EgressProblem.Unreachable);
    }

    [Fact]
    public async Task A_caller_who_leaves_ends_the_request()
    {
        await using var server = await OutsideServer.StartAsync(http => Task.Delay(Timeout.Infinite, http.RequestAborted));
        using var outside = new Outside("127.0.0.1");
        using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outside.Guard.SendAsync(Outside.Get(server.Url), leaving.Token));
    }

    [Fact]
    public async Task A_client_of_its_own_goes_through_the_guard_too()
    {
        await using var server = await OutsideServer.StartAsync(async http =>
        {
            if (http.Request.Path == "/long")
            {
                await http.Response.WriteAsync(new string('x', 100_000));
                return;
            }

            http.Response.StatusCode = http.Request.Path == "/end" ? 200 : 307;
            http.Response.Headers.Location = http.Request.Path == "/same" ? "/end" : "http://other.test/";
            await http.Response.WriteAsync((string)http.Items["body"]!);
        });
        using var outside = new Outside("127.0.0.1").Name("other.test", "127.0.0.1");
        using var client = new HttpClient(outside.Guard.CreateHandler(mostBytes: 10_000));

        var same = await client.PostAsync($"{server.Url}/same", new StringContent("hello"), Cancel);
        var other = await client.PostAsync($"{server.Url}/other", new StringContent("hello"), Cancel);

        Assert.Equal((200, "hello"), ((int)same.StatusCode, await same.Content.ReadAsStringAsync(Cancel)));
        Assert.Equal(307, (int)other.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync($"{server.Url}/long", Cancel));
        await Assert.ThrowsAsync<EgressException>(() => client.GetAsync("http://169.254.169.254/", Cancel));
        await Assert.ThrowsAsync<EgressException>(() => client.GetAsync("http://a@127.0.0.1/", Cancel));
    }

    private static async Task AnswerBadlyAsync(HttpContext http)
    {
        switch (http.Request.Path.Value)
        {
            case "/endless":
                while (!http.RequestAborted.IsCancellationRequested)
                {
                    await http.Response.WriteAsync(new string('x', 10_000), http.RequestAborted);
                }

                break;
            case "/bomb":
                http.Response.Headers.ContentEncoding = "gzip";
                await using (var gzip = new GZipStream(http.Response.Body, CompressionLevel.Fastest))
                {
                    for (var i = 0; i < 100; i++)
                    {
                        await gzip.WriteAsync(new byte[1_000_000], http.RequestAborted);
                    }
                }

                break;
            case "/fits":
                await http.Response.WriteAsync(new string('x', 1_000));
                break;
            case "/slow":
                while (!http.RequestAborted.IsCancellationRequested)
                {
                    await http.Response.WriteAsync("x", http.RequestAborted);
                    await Task.Delay(20, http.RequestAborted);
                }

                break;
            case "/silent":
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
                break;
            case "/circle":
                http.Response.Redirect("/circle");
                break;
            default:
                http.Response.ContentLength = 10;
                await http.Response.WriteAsync("x");
                await http.Response.Body.FlushAsync();
                http.Abort();
                break;
        }
    }

    private static Outside Hostile(string allowed)
    {
        var outside = new Outside(allowed).Name(allowed, "127.0.0.1");
        foreach (var (name, addresses) in HostileTargets.Names)
        {
            outside.Name(name, addresses);
        }

        return outside;
    }

    private static string Of(string target, OutsideServer server) =>
        target.Replace("PORT", server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>A host that no name service knows reaches nobody either.</summary>
    private static bool IsNoName(EgressException failed) => failed.Message == "The host name could not be found.";
}
