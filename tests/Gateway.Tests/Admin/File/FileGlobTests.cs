using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

public sealed class FileGlobTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;

    public FileGlobTests()
    {
        foreach (var name in new[] { "a.md", "b.txt", ".c.md", "sub/d.md", "sub/deep/e.md", "sub/deep/f1.md", "sub/.older/g.md" })
        {
            var path = Path.Combine(_folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, name);
        }
    }

    [Theory]
    [InlineData("a.md", "a.md")]
    [InlineData("./a.md", "a.md")]
    [InlineData("*.md", "a.md")]
    [InlineData("*", "a.md b.txt")]
    [InlineData(".*.md", ".c.md")]
    [InlineData("**/*.md", "a.md sub/d.md sub/deep/e.md sub/deep/f1.md")]
    [InlineData("sub/**", "sub/d.md sub/deep/e.md sub/deep/f1.md")]
    [InlineData("s*/deep/?.md", "sub/deep/e.md")]
    [InlineData("**/deep/*", "sub/deep/e.md sub/deep/f1.md")]
    [InlineData("sub/../*.txt", "sub/../b.txt")]
    [InlineData("sub", "")]
    [InlineData("none/*.md", "")]
    [InlineData("*.MD", "")]
    public void A_pattern_finds_files_as_in_a_shell(string pattern, string found)
    {
        Assert.Null(FileGlob.Problem(pattern));
        Assert.Equal(found.Split(' ', StringSplitOptions.RemoveEmptyEntries), FileGlob.Find(_folder, pattern));
    }

    [Fact]
    public void Links_are_followed_and_one_to_a_folder_above_ends()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder, "sub", "up"), _folder);
        System.IO.File.CreateSymbolicLink(Path.Combine(_folder, "linked.md"), Path.Combine(_folder, "a.md"));

        Assert.Contains("linked.md", FileGlob.Find(_folder, "*.md")!);
        Assert.Contains("sub/up/sub/deep/e.md", FileGlob.Find(_folder, "**/e.md")!);
    }

    [Theory]
    [InlineData("/etc/passwd", "relative to this file")]
    [InlineData("a\\b", "relative to this file")]
    [InlineData(".", "got no file's name")]
    [InlineData("..", "got no file's name")]
    [InlineData("sub/", "got no file's name")]
    [InlineData("a**/b", "'**' stands for whole folders")]
    public void A_pattern_that_could_name_no_file_is_refused(string pattern, string problem) =>
        Assert.Contains(problem, FileGlob.Problem(pattern), StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
