using Gateway.Tests.Support;

namespace Gateway.Tests;

/// <summary>The house as a test: who may use whom, and how long a file may be.</summary>
public sealed class ArchitectureTests
{
    private const int MaxSourceLines = 400;
    private const int MaxTestLines = 600;
    private const int MaxProgramLines = 120;

    [Fact]
    public void Rooms_use_only_what_they_may()
    {
        var gateway = SourceFiles("src", "Gateway").ToList();

        Assert.Contains(gateway, file => file.Path == "Program.cs");
        Assert.Empty(HouseRules.Violations(gateway));
        Assert.Empty(ProjectFiles().SelectMany(file => HouseRules.UsingsOfProject(File.ReadAllText(file))));
    }

    [Fact]
    public void ChatKit_library_knows_nothing_of_the_gateway()
    {
        var library = SourceFiles("src", "ChatKit").Where(file => file.Text.Contains("Gateway.", StringComparison.Ordinal));

        Assert.Empty(library.Select(file => file.Path));
        Assert.DoesNotContain(ProjectFiles(), file =>
            Path.GetFileName(file) == "ChatKit.csproj" && File.ReadAllText(file).Contains("Gateway.csproj", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_stay_short()
    {
        var tooLong = SourceFiles("src").Select(file => (file, max: MaxSourceLines))
            .Concat(SourceFiles("tests").Select(file => (file, max: MaxTestLines)))
            .Where(f => !f.file.Path.Contains("/Migrations/", StringComparison.Ordinal) && LinesOf(f.file) > f.max)
            .Select(f => $"{f.file.Path}: {LinesOf(f.file)} lines, {f.max} at most");

        Assert.Empty(tooLong);
    }

    [Fact]
    public void Program_is_one_screen() =>
        Assert.InRange(LinesOf(Assert.Single(SourceFiles("src", "Gateway"), file => file.Path == "Program.cs")), 1, MaxProgramLines);

    [Theory]
    [InlineData("using Gateway.Chat;\nnamespace Gateway.Selectors;")]
    [InlineData("using static Gateway.Chat.ChatJson;\nnamespace Gateway.Selectors;")]
    [InlineData("using Request = Gateway.Chat.ChatRequest;\nnamespace Gateway.Selectors;")]
    [InlineData("namespace Gateway.Selectors;\ninternal sealed record Selector(global::Gateway.Chat.ChatRequest Request);")]
    [InlineData("namespace Gateway.Selectors;\ninternal sealed record Selector(Chat.ChatRequest Request);")]
    [InlineData("namespace Gateway.Selectors;\ninternal static class A { static string B() => $\"{Gateway.Chat.ChatJson.Name}\"; }")]
    public void A_use_that_the_table_does_not_allow_is_found(string selector)
    {
        SourceFile[] house =
        [
            new("Selectors/Selector.cs", selector),
            new("Chat/ChatRequest.cs", "using Gateway.Selectors;\nnamespace Gateway.Chat;\ninternal sealed record ChatRequest;"),
        ];

        Assert.Equal(["Selectors/Selector.cs uses Chat"], HouseRules.Violations(house));
    }

    [Theory]
    [InlineData("// using Gateway.Chat;\nnamespace Gateway.Selectors;")]
    [InlineData("namespace Gateway.Selectors;\n/// <see cref=\"Gateway.Chat.ChatRequest\"/>\ninternal sealed record Selector;")]
    [InlineData("namespace Gateway.Selectors;\ninternal static class A { const string Meter = \"Gateway.Chat.requests\"; }")]
    [InlineData("using Gateway.Observability;\nnamespace Gateway.Selectors;\ninternal sealed record Selector(int Chat);")]
    public void Comments_texts_and_logging_are_no_use(string selector)
    {
        SourceFile[] house = [new("Selectors/Selector.cs", selector), new("Chat/ChatRequest.cs", "namespace Gateway.Chat;")];

        Assert.Empty(HouseRules.Violations(house));
    }

    [Theory]
    [InlineData("Helpers/Text.cs", "namespace Gateway.Helpers;", "Helpers/Text.cs: the room Helpers is not in the table")]
    [InlineData("Text.cs", "namespace Gateway;", "Text.cs is in no room")]
    [InlineData("Data/Text.cs", "namespace Gateway;\ninternal sealed record Text;", "Data/Text.cs declares a namespace that is not Gateway.Data")]
    [InlineData("Data/Text.cs", "internal sealed record Text;", "Data/Text.cs declares types outside Gateway.Data")]
    [InlineData("Program.cs", "global using Gateway.Chat;", "Program.cs uses Chat everywhere (global using)")]
    public void What_would_go_around_the_table_is_found(string path, string text, string violation) =>
        Assert.Equal([violation], HouseRules.Violations([new SourceFile(path, text)]));

    [Fact]
    public void A_using_in_the_project_file_is_found() =>
        Assert.Equal(
            ["the project uses Chat everywhere"],
            HouseRules.UsingsOfProject("""<ItemGroup><Using Include="Xunit" /><Using Include="Gateway.Chat" /></ItemGroup>"""));

    /// <summary>Paths are relative to the folder asked for.</summary>
    private static IEnumerable<SourceFile> SourceFiles(params string[] folder)
    {
        var root = Repository.PathOf(folder);
        return Directory.Exists(root)
            ? Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
                .Select(file => new SourceFile(Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllText(file)))
                .Where(file => !file.Path.Split('/').Any(part => part is "bin" or "obj" or "node_modules"))
            : [];
    }

    private static IEnumerable<string> ProjectFiles() =>
        Directory.EnumerateFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories)
            .Append(Repository.PathOf("Directory.Build.props"));

    private static int LinesOf(SourceFile file) => file.Text.AsSpan().TrimEnd('\n').Count('\n') + 1;
}
