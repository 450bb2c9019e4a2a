using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ChatKit.Widgets;
using FsCheck;
using FsCheck.Fluent;

namespace ChatKit.Tests.Widgets;

/// <summary>Whatever changes: a client that follows the updates has the new tree. <c>GATEWAY_PROPERTY_SEED</c> repeats a run.</summary>
public sealed class WidgetDiffPropertyTests(ITestOutputHelper output)
{
    private const int Cases = 2_000;

    [Fact]
    public void W1_Following_the_updates_leads_to_the_new_tree()
    {
        // Arrange
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("GATEWAY_PROPERTY_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? given
            : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        output.WriteLine($"GATEWAY_PROPERTY_SEED={seed}");
        var deltas = 0;

        // Act
        foreach (var choice in Gen.Choose(0, int.MaxValue).Sample(Cases, new Rnd(seed), 10))
        {
            var random = new Random(choice);
            var before = new JsonObject { ["type"] = "Card", ["children"] = new JsonArray(Node(random, 3), Node(random, 3)) };
            var after = before.DeepClone().AsObject();
            Change(after, random, random.Next(20) == 0);
            var updates = WidgetDiff.Between(new DynamicWidgetRoot(before), new DynamicWidgetRoot(after));

            // Assert
            deltas += updates.OfType<WidgetTextDelta>().Count();
            var followed = Followed(before, updates);
            Assert.True(JsonNode.DeepEquals(after, followed), $"GATEWAY_PROPERTY_SEED={seed}\n{before.ToJsonString()}\n{after.ToJsonString()}\n{followed.ToJsonString()}");
        }

        Assert.InRange(deltas, Cases / 10, int.MaxValue);
    }

    private static JsonObject Node(Random random, int depth) => random.Next(depth == 0 ? 3 : 5) switch
    {
        0 => new JsonObject { ["type"] = "Text", ["value"] = "a" },
        1 or 2 => new JsonObject { ["type"] = random.Next(2) == 0 ? "Text" : "Markdown", ["id"] = $"t{random.Next(1_000)}", ["value"] = "b", ["streaming"] = random.Next(2) == 0 },
        3 => new JsonObject { ["type"] = "Transition", ["children"] = Node(random, depth - 1) },
        _ => new JsonObject { ["type"] = "Row", ["children"] = new JsonArray(Node(random, depth - 1), Node(random, depth - 1)) },
    };

    /// <summary>Lets texts grow, some of them; rarely changes something else.</summary>
    private static void Change(JsonNode? node, Random random, bool all)
    {
        switch (node)
        {
            case JsonObject json:
                if (json["value"] is { } value && (json["id"] is not null || random.Next(10) == 0) && random.Next(2) == 0)
                {
                    json["value"] = random.Next(15) == 0 ? "c" : $"{(string)value!}ü";
                }

                if (all && random.Next(4) == 0)
                {
                    json["key"] = "k";
                }

                Change(json["children"], random, all);
                break;
            case JsonArray list:
                foreach (var child in list)
                {
                    Change(child, random, all);
                }

                break;
        }
    }

    private static JsonObject Followed(JsonObject before, IReadOnlyList<ThreadItemUpdate> updates)
    {
        var tree = before.DeepClone().AsObject();
        foreach (var update in updates)
        {
            switch (update)
            {
                case WidgetRootUpdated root:
                    return ((DynamicWidgetRoot)root.Widget).Json;
                case WidgetTextDelta delta:
                    var node = Find(tree, delta.ComponentId)!;
                    node["value"] = (string)node["value"]! + delta.Delta;
                    break;
            }
        }

        return tree;
    }

    /// <summary>The first node of an id, as a client would find it.</summary>
    private static JsonObject? Find(JsonNode? node, string id) => node switch
    {
        JsonObject json => (string?)json["id"] == id ? json : Find(json["children"], id),
        JsonArray list => list.Select(child => Find(child, id)).FirstOrDefault(found => found is not null),
        _ => null,
    };
}
