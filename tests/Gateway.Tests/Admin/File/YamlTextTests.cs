using System.Text;
using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

public sealed class YamlTextTests
{
    [Theory]
    [InlineData("providers:\n  - name: p\n   baseUrl: x\n", 3)]
    [InlineData("providers: [\n  { name: p\n", 3)]
    [InlineData("providers: \"abc\n", 1)]
    [InlineData("a: 1\n\tb: 2\n", 1)]
    [InlineData("a: 1\n\n- b\n", 3)]
    [InlineData("a: \"\\q\"\n", 1)]
    public void Broken_syntax_is_one_error_with_its_line(string yaml, int line)
    {
        var error = Reading.Error(yaml);

        Assert.StartsWith($"line {line}: this is not YAML: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("# nothing but a comment\n", 2)]
    public void An_empty_file_is_refused_because_it_may_be_one_that_is_being_written(string yaml, int line) =>
        Assert.Equal($"line {line}: the file is empty; write {{}} if it shall define nothing", Reading.Error(yaml));

    [Theory]
    [InlineData("providers: []\nproviders: []", "line 2, providers: the field is here already, on line 1")]
    [InlineData("workspaces:\n  - name: a\n    name: b", "line 3, workspaces[0].name: the field is here already, on line 2")]
    public void A_field_that_is_there_twice_is_refused(string yaml, string error) => Assert.Equal(error, Reading.Error(yaml));

    [Fact]
    public void A_parameter_that_is_there_twice_is_refused_at_any_depth() =>
        Assert.Equal(
            "line 8, workspaces[0].bots[0].parameters.a.b: the field is here already, on line 7",
            Assert.Single(Reading.BotErrors("parameters:\n  a: { b: 1,\n    b: 2 }")));

    [Theory]
    [InlineData("a: 1\n---\nb: 2", "line 2: expected one document, got a second after '---'")]
    [InlineData("a: !!str 5", "line 1: expected no tag, got 'tag:yaml.org,2002:str'")]
    [InlineData("a: !secret x", "line 1: expected no tag, got '!secret'")]
    [InlineData("[a]: 1", "line 1: expected a name before ':', got a list, a map or an alias")]
    [InlineData("a: *none", "line 1: there is no anchor '&none' before this alias")]
    [InlineData("a: &self [ *self ]", "line 1: there is no anchor '&self' before this alias")]
    [InlineData("a: \"x\\0\"", "line 1: text cannot hold the character \\0 or half of a surrogate pair")]
    [InlineData("\"\\0\": 1", "line 1: text cannot hold the character \\0 or half of a surrogate pair")]
    [InlineData("a: \"\\uD800\"", "line 1: this is not YAML: While scanning a quoted scalar, found invalid Unicode surrogates")]
    [InlineData("a: \"b\n\nc", "line 1: this is not YAML: While scanning a multi-line double-quoted scalar, found wrong indentation (noticed on line 3)")]
    [InlineData("- : x", "line 1: expected a name before ':' and a value after it")]
    public void What_yaml_allows_and_the_file_does_not_is_refused(string yaml, string error) => Assert.Equal(error, Reading.Error(yaml));

    [Fact]
    public void A_merge_key_is_told_to_be_written_out() =>
        Assert.Equal(
            "line 1, ['<<']: merge keys ('<<') are not part of YAML 1.2; write the fields out",
            Reading.Error("<<: {}"));

    [Fact]
    public void Ten_lines_of_aliases_cannot_become_a_billion_values()
    {
        var yaml = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 10; i++)
        {
            yaml.Append(null, $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        }

        Assert.EndsWith("with its aliases written out the file is larger than 16 MiB", Reading.Error(yaml.ToString()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(33, false)]
    [InlineData(100_000, false)]
    [InlineData(32, true)]
    public void Depth_is_bounded(int levels, bool isRead)
    {
        var (root, error) = YamlText.Parse(new string('[', levels - 1) + "x" + new string(']', levels - 1));

        Assert.Equal(isRead, root is not null);
        Assert.Equal(isRead ? null : "line 1: expected at most 32 levels", error?.ToString());
    }

    [Fact]
    public void Depth_is_bounded_through_aliases_too()
    {
        var deep = new string('[', 20) + "x" + new string(']', 20);

        var (root, error) = YamlText.Parse($"- &deep {deep}\n- {new string('[', 15)}*deep{new string(']', 15)}");

        Assert.Null(root);
        Assert.Equal("line 2: expected at most 32 levels", error!.ToString());
    }

    [Fact]
    public void A_file_past_the_size_limit_is_refused()
    {
        var error = Assert.Single(GatewayFileReader.Read(new byte[YamlText.MaxBytes + 1], _ => null).Errors);

        Assert.Equal("line 1: expected at most 16 MiB, got 16777217 bytes", error.ToString());
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused_with_their_line()
    {
        byte[] latin = [.. "a: 1\nb: Gr"u8, 0xFC, .. "n\n"u8];
        var utf16 = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("a: 1")).ToArray();

        Assert.Equal("line 2: expected UTF-8, got the byte 0xFC; save the file as UTF-8", Error(latin));
        Assert.Equal("line 1: expected UTF-8, got the byte 0xFF; save the file as UTF-8", Error(utf16));

        static string Error(byte[] yaml) => Assert.Single(GatewayFileReader.Read(yaml, _ => null).Errors).ToString();
    }

    [Fact]
    public void Windows_line_ends_count_as_one_line() =>
        Assert.StartsWith("line 3, zebra: ", Reading.Error("providers: []\r\nmodels: []\r\nzebra: 1\r\n"), StringComparison.Ordinal);

    [Fact]
    public void Mutilated_files_are_read_or_refused_but_never_throw()
    {
        const string Pieces = "{}[]:,-#&*!|>'\"%@`?~ \n\t\\0xu${}$a1é😀";
        var whole = Repository.Read("deploy/gateway.yaml");
        var random = new Random(20_240_611);

        for (var i = 0; i < 3_000; i++)
        {
            var yaml = new StringBuilder(whole);
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                var at = random.Next(yaml.Length);
                yaml.Remove(at, random.Next(Math.Min(4, yaml.Length - at))).Insert(at, Pieces[random.Next(Pieces.Length)]);
            }

            var result = GatewayFileReader.Read(yaml.ToString(), _ => "x");

            Assert.True(result.IsValid != result.Errors.Count > 0);
            Assert.All(result.Errors, e => Assert.InRange(e.Line, 1, 200));
        }
    }
}
