using System.Text.Json.Nodes;
using ChatKit.Widgets;

namespace ChatKit.Tests.Widgets;

/// <summary>What is sent when a widget changes. Each case with records, with JSON, and with one of each.</summary>
public sealed class WidgetDiffTests
{
    private const string Replaced = "replaced";

    public static TheoryData<string, WidgetRoot, WidgetRoot, string[]> Cases => new()
    {
        { "nothing differs", Card(Streamed("Hel")), Card(Streamed("Hel")), [] },
        { "text with an id grew", Card(Streamed("Hel")), Card(Streamed("Hello")), ["t+lo more"] },
        { "text that does not stream grew", Card(new Text("Hel") { Id = "t" }), Card(new Text("Hello") { Id = "t" }), ["t+lo done"] },
        { "text grew and its stream ended", Card(Streamed("Hel")), Card(Streamed("Hello") with { Streaming = false }), [Replaced] },
        { "the stream of a text ended", Card(Streamed("Hel")), Card(Streamed("Hel") with { Streaming = false }), [Replaced] },
        { "text without an id is another", Card(new Text("Hel")), Card(new Text("Bye")), [Replaced] },
        { "text without an id grew", Card(new Text("Hel")), Card(new Text("Hello")), [Replaced] },
        { "text with an id is another", Card(Streamed("Hello")), Card(Streamed("Help")), [Replaced] },
        { "text with an id got shorter", Card(Streamed("Hello")), Card(Streamed("Hel")), [Replaced] },
        { "Markdown grew from nothing", Card(new Markdown("") { Id = "t", Streaming = true }), Card(new Markdown("# A") { Id = "t", Streaming = true }), ["t+# A more"] },
        { "a title grew", Card(new Title("Hel") { Id = "t" }), Card(new Title("Hello") { Id = "t" }), [Replaced] },
        { "text in a single child grew", Card(new Transition { Children = Streamed("Hel") }), Card(new Transition { Children = Streamed("Hello") }), ["t+lo more"] },
        { "two texts grew", Card(Streamed("a"), Streamed("b") with { Id = "u" }), Card(Streamed("ab"), Streamed("bc") with { Id = "u" }), ["t+b more", "u+c more"] },
        { "one of two texts of one id grew", Card(Streamed("a"), Streamed("b")), Card(Streamed("a"), Streamed("bc")), [Replaced] },
        { "text deep inside grew", Card(new Row { Children = [new Col { Children = [Streamed("a")] }] }), Card(new Row { Children = [new Col { Children = [Streamed("ab")] }] }), ["t+b more"] },
        { "text grew and a colour differs", Card(Streamed("a")), Card(Streamed("ab") with { Color = "red" }), [Replaced] },
        { "a member is set", Card(Streamed("a")), Card(Streamed("a") with { Italic = true }), [Replaced] },
        { "a member is no longer set", Card(Streamed("a") with { Italic = true }), Card(Streamed("a")), [Replaced] },
        { "another id", Card(Streamed("a")), Card(Streamed("a") with { Id = "u" }), [Replaced] },
        { "another key", Card(Streamed("a")), Card(Streamed("a") with { Key = "k" }), [Replaced] },
        { "another type", Card(Streamed("a")), Card(new Markdown("a") { Id = "t", Streaming = true }), [Replaced] },
        { "one more child", Card(Streamed("a")), Card(Streamed("a"), new Spacer()), [Replaced] },
        { "another root", Card(Streamed("a")), new Basic { Children = [Streamed("a")] }, [Replaced] },
        { "a payload looks like a text that grew", Card(Pressed("a")), Card(Pressed("ab")), [Replaced] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void W1_What_differs_decides_what_is_sent(string difference, WidgetRoot before, WidgetRoot after, string[] expected)
    {
        var (beforeJson, afterJson) = (Dynamic(before), Dynamic(after));

        Assert.All(
            [(before, after), (beforeJson, afterJson), (before, afterJson), (beforeJson, after)],
            pair => Assert.True(
                expected.SequenceEqual(WidgetDiff.Between(pair.Item1, pair.Item2).Select(Said)),
                $"{difference}: {string.Join(", ", WidgetDiff.Between(pair.Item1, pair.Item2).Select(Said))}"));
        if (expected is [Replaced])
        {
            Assert.Same(after, Assert.IsType<WidgetRootUpdated>(Assert.Single(WidgetDiff.Between(before, after))).Widget);
        }
    }

    [Fact]
    public void W1_A_single_child_that_grows_in_a_Basic_of_JSON_is_found()
    {
        static DynamicWidgetRoot Basic(string value) => new((JsonObject)JsonNode.Parse(
            $$"""{"type":"Basic","children":{"type":"Text","id":"t","value":"{{value}}"} }""")!);

        Assert.Equal(["t+b done"], WidgetDiff.Between(Basic("a"), Basic("ab")).Select(Said));
    }

    private static Card Card(params WidgetComponent[] children) => new() { Children = children };

    private static Text Streamed(string value) => new(value) { Id = "t", Streaming = true };

    private static Button Pressed(string value) => new()
    {
        OnClickAction = new ActionConfig("a") { Payload = new JsonObject { ["type"] = "Text", ["id"] = "t", ["value"] = value } },
    };

    private static DynamicWidgetRoot Dynamic(WidgetRoot widget) => new((JsonObject)JsonNode.Parse(ChatKitJson.ToWire(widget))!);

    private static string Said(ThreadItemUpdate update) => update switch
    {
        WidgetTextDelta delta => $"{delta.ComponentId}+{delta.Delta} {(delta.Done ? "done" : "more")}",
        WidgetRootUpdated => Replaced,
        _ => update.ToString(),
    };
}
