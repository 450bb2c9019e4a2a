using System.Text.RegularExpressions;
using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

/// <summary>What the repository shows as a <c>gateway.yaml</c> must be one.</summary>
public sealed partial class GatewayFileExamplesTests
{
    public static TheoryData<string, string> Examples()
    {
        var examples = new TheoryData<string, string> { { "deploy/gateway.yaml", Repository.Read("deploy/gateway.yaml") } };
        foreach (var page in new[] { "README.md", "src/Gateway/Admin/README.md" })
        {
            foreach (var block in Blocks(page))
            {
                examples.Add($"{page}:{1 + block.Index}", block.Item);
            }
        }

        return examples;
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_is_read_without_errors(string name, string yaml)
    {
        var result = GatewayFileReader.Read(yaml, name => HasDefault(name) ? null : "from-the-environment");

        Assert.True(result.IsValid, $"{name}\n{string.Join('\n', result.Errors)}");
    }

    [Fact]
    public void The_example_to_start_from_needs_two_variables_and_refers_to_nothing_outside_it()
    {
        var asked = new List<string>();

        var file = GatewayFileReader.Read(Repository.Read("deploy/gateway.yaml"), name =>
        {
            asked.Add(name);
            return HasDefault(name) ? null : "sk-1";
        }).File!;

        Assert.Equal(["OPENAI_API_KEY", "SHOP_TOKEN"], asked.Where(name => !HasDefault(name)));
        Assert.All(file.References, r => Assert.True(r.IsInFile));
        Assert.Equal(["gpt-4o", "gpt-4o-mini", "*"], file.Models.Select(m => m.Name));
        Assert.Equal(["support", "billing"], Assert.Single(file.Workspaces).Bots.Select(b => b.Id));
        Assert.StartsWith("# yaml-language-server: $schema=./gateway.schema.json\n", Repository.Read("deploy/gateway.yaml"), StringComparison.Ordinal);
    }

    /// <summary>Addresses, which the examples give where the environment does not.</summary>
    private static bool HasDefault(string name) =>
        name.EndsWith("_URL", StringComparison.Ordinal) || name.EndsWith("_HOST", StringComparison.Ordinal);

    // Other YAML than the gateway's own, such as a compose file, has other fields at the top.
    private static IEnumerable<(int Index, string Item)> Blocks(string page) =>
        System.IO.File.Exists(Path.Combine(Repository.Root, page))
            ? Block().Matches(Repository.Read(page)).Select(m => m.Groups["yaml"].Value).Where(y => Own().IsMatch(y)).Index()
            : [];

    [GeneratedRegex(@"^```ya?ml\n(?<yaml>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("^(providers|models|embeddingModels|workspaces):", RegexOptions.Multiline)]
    private static partial Regex Own();
}
