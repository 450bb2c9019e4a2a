using System.Text;
using System.Text.Json.Nodes;
using Gateway.Upstream;

namespace Gateway.Tests.Upstream;

/// <summary>What is sent to a deployment, byte for byte.</summary>
public sealed class UpstreamBodyTests
{
    [Theory]
    [InlineData("""{"model":"x"}""", """{"model":"real"}""")]
    [InlineData(""" { "a" : [1, {"model":"b"}] , "mod\u0065l" : "x\"y" , "é":1.0e1 } """, """ { "a" : [1, {"model":"b"}] , "mod\u0065l" : "real" , "é":1.0e1 } """)]
    public void Only_the_models_value_is_replaced(string sent, string expected) =>
        Assert.Equal(expected, BodyCase.Built(BodyCase.Call(sent)));

    [Fact]
    public void Without_a_name_at_the_provider_the_callers_is_used()
    {
        var call = BodyCase.Call("""{"model":"model/name=a"}""");
        var deployment = new Deployment(new Provider("p", "http://127.0.0.1", null, []), null);
        var route = new UpstreamCall { Route = call.Route with { Name = "org/a \"b\" ü" }, Path = "", Body = call.Body, Usage = call.Usage };

        var built = UpstreamBody.Build(route, route.Route, deployment, null).ToArray();

        Assert.Equal("org/a \"b\" ü", JsonNode.Parse(built)!["model"]!.GetValue<string>());
    }

    [Theory]
    // First, middle, last, two in a row, all but the model; white space of all sorts.
    [InlineData("""{"a":1,"model":"x","b":2}""", """{"model":"real","b":2}""", "a")]
    [InlineData("""{"model":"x","a":{"n":[1,2]},"b":2}""", """{"model":"real","b":2}""", "a")]
    [InlineData("""{"model":"x","b":2,"a":"}"}""", """{"model":"real","b":2}""", "a")]
    [InlineData("""{"a":1,"b":2,"model":"x","c":3}""", """{"model":"real","c":3}""", "a,b")]
    [InlineData("""{"model":"x","a":1,"b":2}""", """{"model":"real"}""", "a,b")]
    [InlineData("""{"a":1,"model":"x","b":2}""", """{"model":"real"}""", "a,b")]
    [InlineData("""{"a":1,"b":2,"model":"x"}""", """{"model":"real"}""", "a,b")]
    [InlineData("{ \"a\"\t:\n1 ,\r\n \"model\" : \"x\" , \"b\" : 2 \n}", "{ \"model\" : \"real\" \n}", "a,b")]
    [InlineData("""{"\u0061":1,"model":"x"}""", """{"model":"real"}""", "a")]
    [InlineData("""{"a":null,"model":"x"}""", """{"model":"real"}""", "a")]
    // Without it there is nothing to ask.
    [InlineData("""{"a":1,"model":"x"}""", """{"model":"real"}""", "a,model")]
    public void Configured_parameters_are_left_out_and_named(string sent, string expected, string dropParams)
    {
        var call = BodyCase.Call(sent, dropParams: dropParams.Split(','));

        var built = BodyCase.Built(call);

        Assert.Equal(expected, built);
        Assert.Equal(dropParams.Replace(",model", "", StringComparison.Ordinal).Split(',').Order(), call.DroppedParams.Order());
    }

    [Fact]
    public void Any_set_of_members_can_be_left_out_anywhere()
    {
        // Every subset of six members beside the model, at every place of the model.
        for (var at = 0; at <= 6; at++)
        {
            var names = "abcdef".Select(c => c.ToString()).ToList();
            names.Insert(at, "model");
            var sent = "{" + string.Join(" , ", names.Select(n => $"\"{n}\" : \"{n}\"")) + " }";
            for (var set = 0; set < 64; set++)
            {
                var dropped = "abcdef".Where((_, i) => (set >> i & 1) != 0).Select(c => c.ToString()).ToArray();

                var built = BodyCase.Built(BodyCase.Call(sent, dropParams: dropped));

                Assert.Equal(
                    names.Except(dropped).Select(n => (n, n == "model" ? "real" : n)),
                    JsonNode.Parse(built)!.AsObject().Select(m => (m.Key, m.Value!.GetValue<string>())));
            }
        }
    }

    [Fact]
    public void Members_behind_the_sixty_fourth_are_left_out_too()
    {
        var many = string.Concat(Enumerable.Range(0, 100).Select(i => $"\"p{i}\":{i},"));

        var built = BodyCase.Built(BodyCase.Call($$"""{{{many}}"user":"u","model":"x"}""", dropParams: "user"));

        Assert.Equal($$"""{{{many}}"model":"real"}""", built);
    }

    [Theory]
    [InlineData("""{"model":"x"}""", """{"model":"real","stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"x" } """, """{"model":"real" ,"stream_options":{"include_usage":true}} """)]
    [InlineData("""{"stream_options":null,"model":"x"}""", """{"stream_options":{"include_usage":true},"model":"real"}""")]
    [InlineData("""{"model":"x","stream_options":{}}""", """{"model":"real","stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"x","stream_options":{ }}""", """{"model":"real","stream_options":{"include_usage":true }}""")]
    [InlineData("""{"model":"x","stream_options":{"include_usage":false}}""", """{"model":"real","stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"x","stream_options":{"include_usage" : null}}""", """{"model":"real","stream_options":{"include_usage" : true}}""")]
    [InlineData(
        """{"model":"x","stream_options":{"include_obfuscation":false}}""",
        """{"model":"real","stream_options":{"include_usage":true,"include_obfuscation":false}}""")]
    [InlineData(
        """{"model":"x","stream\u005foptions":{"include_obfuscation":false,"include_us\u0061ge":false}}""",
        """{"model":"real","stream\u005foptions":{"include_obfuscation":false,"include_us\u0061ge":true}}""")]
    public void A_streams_usage_is_asked_for_whatever_was_sent(string sent, string expected) =>
        Assert.Equal(expected, BodyCase.Built(BodyCase.Call(sent, isStream: true)));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Usage_is_not_asked_for_twice_nor_of_a_plain_reply(bool isStream, bool wantsUsage)
    {
        const string Sent = """{"model":"real","stream_options":{"include_usage":true,"x":1}}""";

        Assert.Equal(Sent, BodyCase.Built(BodyCase.Call(Sent, isStream: isStream, wantsUsage: wantsUsage)));
    }

    [Fact]
    public void Usage_is_asked_for_behind_parameters_that_are_left_out_at_the_end()
    {
        var call = BodyCase.Call("""{"model":"x","user":"u" }""", isStream: true, dropParams: "user");

        Assert.Equal("""{"model":"real" ,"stream_options":{"include_usage":true}}""", BodyCase.Built(call));
    }

    [Theory]
    [InlineData("""{"model":"x"}""")]
    [InlineData("""{"stream_options":{"include_usage":false},"model":"x"}""")]
    [InlineData("""{"model":"x","stream_options":{"include_obfuscation":true}}""")]
    public void Stream_options_that_an_upstream_does_not_take_are_not_added(string sent)
    {
        var learned = BodyCase.Built(BodyCase.Call(sent, isStream: true), new Unsupported("stream_options", null));
        var configured = BodyCase.Built(BodyCase.Call(sent, isStream: true, dropParams: "stream_options"));

        Assert.Equal(("""{"model":"real"}""", """{"model":"real"}"""), (learned, configured));
    }

    [Theory]
    [InlineData("""{"model":"x","temperature":1,"seed":2}""", """{"model":"real","seed":2}""")]
    [InlineData("""{"model":"x","temperature":1.0}""", """{"model":"real","temperature":1.0}""")]
    [InlineData("""{"model":"x","temperature":0}""", """{"model":"real","temperature":0}""")]
    public void A_value_that_is_not_taken_is_left_out_and_no_other_value(string sent, string expected) =>
        Assert.Equal(expected, BodyCase.Built(BodyCase.Call(sent), new Unsupported("temperature", "1")));

    [Fact]
    public void A_long_value_is_recognised_too()
    {
        var value = $$"""{"a":"{{new string('v', 500)}}"}""";
        var learned = new Unsupported("metadata", Adjustments.ValueOf(Encoding.UTF8.GetBytes(value)));

        Assert.Equal("""{"model":"real"}""", BodyCase.Built(BodyCase.Call($$"""{"model":"x","metadata":{{value}}}"""), learned));
        Assert.Contains("metadata", BodyCase.Built(BodyCase.Call("""{"model":"x","metadata":{"a":"v"}}"""), learned), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("max_tokens", """{"model":"x","max_tokens":5}""", """{"model":"real","max_completion_tokens":5}""", "")]
    [InlineData("max_tokens", """{"max_\u0074okens" : 5,"model":"x"}""", """{"max_completion_tokens" : 5,"model":"real"}""", "")]
    [InlineData("max_completion_tokens", """{"model":"x","max_completion_tokens":5}""", """{"model":"real","max_tokens":5}""", "")]
    // Both: the one that is taken stays, with its value.
    [InlineData("max_tokens", """{"model":"x","max_tokens":5,"max_completion_tokens":6}""", """{"model":"real","max_completion_tokens":6}""", "max_tokens")]
    // Null means absent.
    [InlineData("max_tokens", """{"max_completion_tokens":null,"model":"x","max_tokens":5}""", """{"model":"real","max_completion_tokens":5}""", "")]
    public void A_limit_is_sent_under_its_other_name(string unsupported, string sent, string expected, string dropped)
    {
        var call = BodyCase.Call(sent);

        var built = BodyCase.Built(call, new Unsupported(unsupported, null));

        Assert.Equal(expected, built);
        Assert.Equal(dropped, string.Join(",", call.DroppedParams));
    }

    [Fact]
    public void The_length_that_is_announced_is_the_length_that_is_sent()
    {
        var call = BodyCase.Call("""{"user":"u","model":"x","max_tokens":5}""", isStream: true, dropParams: "user");

        using var body = UpstreamBody.Build(call, call.Route, call.Route.Model.Deployments[0], [new Unsupported("max_tokens", null)]);

        Assert.Equal(body.ToArray().Length, body.Headers.ContentLength);
    }
}
