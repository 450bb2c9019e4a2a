using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ChatKit.Tests.Support;
using ChatKit.Widgets;

namespace ChatKit.Tests.Widgets;

/// <summary>The records of the nodes against the schema, and how trees are composed.</summary>
public sealed partial class WidgetNodeTests(ChatKitSchema schema)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Definitions of nodes: <c>W</c> and the name of the record.</summary>
    public static TheoryData<string> Nodes => [.. SchemaExamples.Nodes];

    [Fact]
    public void There_is_a_record_for_every_node_of_the_schema() => Assert.Equal(30, Nodes.Count);

    [Theory]
    [MemberData(nameof(Nodes))]
    public void A_record_has_exactly_the_members_of_its_node(string definition)
    {
        var contract = WidgetJson.ContractOf(RecordOf(definition));

        Assert.Equal(SchemaExamples.MembersOf(definition).Order(), contract.Properties.Select(member => member.Name).Order());
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task A_node_with_all_members_and_every_value_is_read_as_its_record_and_written_as_it_was(string definition)
    {
        var validations = new List<Task>();
        foreach (var example in SchemaExamples.Of(definition))
        {
            var node = Read(example);
            var written = ChatKitJson.ToWire(node);

            // The one shape without a record: a single child of Basic that is not in a list, which only the Python classes allow.
            var kind = definition == "WBasic" && example["children"] is JsonObject ? typeof(DynamicWidgetRoot) : RecordOf(definition);
            Assert.True(node.GetType() == kind, $"{node.GetType().Name} was made of {example.ToJsonString()}");
            Assert.True(JsonNode.DeepEquals(example, JsonNode.Parse(written)), $"{example.ToJsonString()}\nwas written as\n{Encoding.UTF8.GetString(written)}");
            validations.Add(schema.AssertValidAsync(definition, written, Cancel));
        }

        await Task.WhenAll(validations);
    }

    [Theory]
    [InlineData("""{"type":"Text","value":"x","colour":"red"}""")]
    [InlineData("""{"type":"Text"}""")]
    [InlineData("""{"type":"Text","value":7}""")]
    [InlineData("""{"type":"Badge","label":"x","color":"purple"}""")]
    [InlineData("""{"type":"Icon","name":"upload"}""")]
    [InlineData("""{"type":"Box","gap":true}""")]
    [InlineData("""{"type":"Box","border":{"color":"red"}}""")]
    [InlineData("""{"type":"Box","children":{"type":"Spacer"}}""")]
    [InlineData("""{"type":"Button","onClickAction":{"payload":{}}}""")]
    [InlineData("""{"type":"Hologram"}""")]
    public void A_node_that_fits_no_record_is_kept_as_it_is_and_only_that_node(string odd)
    {
        var card = Assert.IsType<Card>(Read(JsonNode.Parse($$"""{"type":"Card","children":[{"type":"Title","value":"T"},{{odd}}]}""")!));

        Assert.IsType<Title>(card.Children[0]);
        var kept = Assert.IsType<DynamicWidgetComponent>(card.Children[1]);
        Assert.Equal(odd, kept.Json.ToJsonString());
    }

    [Theory]
    [InlineData("""{"type":"Text","value":"x"}""")]
    [InlineData("""{"children":[]}""")]
    [InlineData("[]")]
    [InlineData("7")]
    public void What_is_no_root_is_refused(string json) =>
        Assert.Throws<System.Text.Json.JsonException>(() => ChatKitJson.FromStore<WidgetRoot>(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public async Task W2_A_composed_tree_is_sent_without_members_that_are_not_set()
    {
        var widget = new Card
        {
            AsForm = true,
            Size = CardSize.Md,
            Padding = new Spacing { X = 4, Y = "1rem" },
            Status = new IconStatus("Draft") { Icon = "notebook-pencil" },
            Confirm = new CardAction("Save", ActionConfig.Of("save", new SavePayload("todo_1", null), PayloadJson.Default.SavePayload) with { LoadingBehavior = LoadingBehavior.Container }),
            Cancel = new CardAction("Discard", new ActionConfig("discard") { Payload = new JsonObject { ["a"] = null, ["b"] = new JsonArray(1, null) } }),
            Children =
            [
                new Text("Hello") { Id = "t", Streaming = true, Color = new ThemeColor("black", "white") },
                null!,
                new Row
                {
                    Border = new Borders { Top = 1, X = new Border(2) { Style = BorderStyle.Dashed } },
                    Radius = Radius.TwoXl,
                    Children = [new Icon("search"), new Input("todo.title") { Required = true, InputType = InputType.Email }],
                },
                new Select("kind", [new SelectOption("1", "One"), new SelectOption("2", "Two") { Disabled = true }]),
                new Transition { Children = new DynamicWidgetComponent(new JsonObject { ["type"] = "Hologram", ["x"] = null }) },
            ],
        };
        var item = new WidgetItem { Id = "msg_1", ThreadId = "thr_1", CreatedAt = DateTimeOffset.UnixEpoch, Widget = widget };

        var sent = JsonNode.Parse(ChatKitJson.ToWire(item))!["widget"]!;

        const string expected = """
            {"type":"Card","asForm":true,"size":"md","padding":{"x":4,"y":"1rem"},"status":{"text":"Draft","icon":"notebook-pencil"},
             "confirm":{"label":"Save","action":{"type":"save","payload":{"id":"todo_1"},"loadingBehavior":"container"}},
             "cancel":{"label":"Discard","action":{"type":"discard","payload":{"b":[1]}}},
             "children":[
              {"type":"Text","value":"Hello","id":"t","streaming":true,"color":{"light":"black","dark":"white"}},
              {"type":"Row","border":{"top":1,"x":{"size":2,"style":"dashed"}},"radius":"2xl",
               "children":[{"type":"Icon","name":"search"},{"type":"Input","name":"todo.title","required":true,"inputType":"email"}]},
              {"type":"Select","name":"kind","options":[{"value":"1","label":"One"},{"value":"2","label":"Two","disabled":true}]},
              {"type":"Transition","children":{"type":"Hologram"}}]}
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), sent), sent.ToJsonString());
        await schema.AssertValidAsync("DynamicWidgetItem", ChatKitJson.ToWire(item), Cancel);
        Assert.IsType<Select>(Assert.IsType<Card>(ChatKitJson.Copy(item).Widget).Children[2]);
    }

    [Fact]
    public void W2_A_root_is_sent_without_members_that_are_not_set()
    {
        var sent = ChatKitJson.ToWire(new Card { Children = [new Text("x")] });

        Assert.Equal("""{"type":"Card","children":[{"type":"Text","value":"x"}]}""", Encoding.UTF8.GetString(sent));
    }

    [Fact]
    public void A_typed_payload_makes_the_round_trip()
    {
        var config = ActionConfig.Of("save", new SavePayload("todo_1", 3), PayloadJson.Default.SavePayload);

        var action = new WidgetAction { Type = config.Type, Payload = config.Payload };

        Assert.Equal(new SavePayload("todo_1", 3), action.PayloadAs(PayloadJson.Default.SavePayload));
    }

    [Theory]
    [InlineData("search", true)]
    [InlineData("vendor:anything", true)]
    [InlineData("lucide:rocket", true)]
    [InlineData("upload", false)]
    [InlineData("code", false)]
    [InlineData("Search", false)]
    [InlineData("", false)]
    public void I1_Listed_names_and_prefixed_ones_are_icons_and_others_are_not(string name, bool known)
    {
        Assert.Equal(known, IconName.TryParse(name, out var icon));
        Assert.Equal(known ? name : null, icon?.Value);
        if (!known)
        {
            Assert.Throws<ArgumentException>(() => new Icon(name));
        }
    }

    [Fact]
    public void I1_All_names_of_the_schema_are_icons() =>
        Assert.Equal(SchemaExamples.Of("WIcon").Select(icon => (string)icon["name"]!).Where(name => !name.Contains(':', StringComparison.Ordinal)).Distinct().Order(), IconName.All.Order());

    private static Type RecordOf(string definition) => typeof(Card).Assembly.GetType($"ChatKit.Widgets.{definition[1..]}", throwOnError: true)!;

    private static WidgetNode Read(JsonNode json) =>
        DynamicWidgetRoot.Types.Contains((string)json["type"]!)
            ? ChatKitJson.FromStore<WidgetRoot>(Encoding.UTF8.GetBytes(json.ToJsonString()))
            : ChatKitJson.FromStore<WidgetComponent>(Encoding.UTF8.GetBytes(json.ToJsonString()));

    internal sealed record SavePayload(string Id, int? Version);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(SavePayload))]
    internal sealed partial class PayloadJson : JsonSerializerContext;
}
