using System.Text;
using Gateway.Http;
using Gateway.Upstream;
using Gateway.Usage;

namespace Gateway.Tests.Upstream;

/// <summary>Makes calls and deployments for tests of Upstream alone.</summary>
internal static class BodyCase
{
    public static UpstreamCall Call(
        string json, string baseUrl = "http://127.0.0.1:1/v1", bool isStream = false, bool wantsUsage = false, params string[] dropParams)
    {
        Assert.True(JsonBody.TryRead(Encoding.UTF8.GetBytes(json), null, out var body, out var error), error?.Message);
        var deployment = new Deployment(new Provider("fake", baseUrl, null, []), "real");
        var model = new Model("m", [], [deployment], dropParams, ModelTimeouts.Default, DateTime.UnixEpoch);
        return new UpstreamCall
        {
            Route = new ModelRoute(model, "m", "model/name=m", []),
            Path = "chat/completions",
            Body = body,
            Usage = Usage(),
            IsStream = isStream,
            WantsUsage = wantsUsage,
        };
    }

    /// <summary>What a call records itself in; without a journal, so it must not be dispatched.</summary>
    public static RequestUsage Usage() => new(
        null!, new UsageSubject(Guid.Empty, Guid.Empty, "req", "/v1/chat/completions", "model/name=m", null), Guid.Empty, DateTimeOffset.UnixEpoch);

    /// <summary>The body as it would be sent.</summary>
    public static string Built(UpstreamCall call, params Unsupported[] unsupported) => Encoding.UTF8.GetString(
        UpstreamBody.Build(call, call.Route, call.Route.Model.Deployments[0], unsupported.Length == 0 ? null : unsupported).ToArray());
}
