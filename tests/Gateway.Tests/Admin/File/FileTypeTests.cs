using Gateway.Admin.File;

namespace Gateway.Tests.Admin.File;

/// <summary>Wrong kinds of values, also of kinds that no built field has yet.</summary>
public sealed class FileTypeTests
{
    private static readonly FileShape.Object Shape = new(
        new("whole", new FileShape.Number(0, 5, IsWhole: true), ""),
        new("number", new FileShape.Number(-1, 1, IsWhole: false), ""),
        new("share", new FileShape.Number(0, 1, IsWhole: false, IsAboveMin: true), ""),
        new("flag", new FileShape.Flag(), ""),
        new("budget", new FileShape.Budget(), ""),
        new("oneOf", new FileShape.Text(OneOf: ["off", "prefill"]), ""));

    [Theory]
    [InlineData("whole: 5", 5)]
    [InlineData("whole: 0x5", 5)]
    [InlineData("whole: ${FIVE}", 5)]
    [InlineData("whole: \"${FIVE}\"", 5)]
    [InlineData("number: -0.5", -0.5)]
    [InlineData("number: 1e-1", 0.1)]
    [InlineData("share: 1", 1)]
    [InlineData("share: 0.01", 0.01)]
    [InlineData("flag: true", true)]
    [InlineData("flag: False", false)]
    [InlineData("oneOf: prefill", "prefill")]
    public void A_value_of_the_right_kind_is_taken(string yaml, object expected)
    {
        var (value, errors) = Walk(yaml);

        Assert.Empty(errors);
        var content = value![yaml[..yaml.IndexOf(':')]]!.Content;
        Assert.Equal(expected is double or int ? Convert.ToDecimal(expected, null) : expected, content);
    }

    [Theory]
    [InlineData("whole: \"5\"", "expected a whole number from 0 to 5, got '5' in quotes, which is text")]
    [InlineData("whole: 6", "expected a whole number from 0 to 5, got the number 6")]
    [InlineData("whole: -1", "expected a whole number from 0 to 5, got the number -1")]
    [InlineData("whole: 1.5", "expected a whole number from 0 to 5, got the number 1.5")]
    [InlineData("whole: five", "expected a whole number from 0 to 5, got 'five'")]
    [InlineData("whole: [5]", "expected a whole number from 0 to 5, got a list")]
    [InlineData("whole:", "expected a whole number from 0 to 5, got nothing")]
    [InlineData("number: .nan", "expected a number from -1 to 1, got the number .nan")]
    [InlineData("number: true", "expected a number from -1 to 1, got true")]
    [InlineData("share: 0", "expected a number above 0, up to 1, got the number 0")]
    [InlineData("share: 1.1", "expected a number above 0, up to 1, got the number 1.1")]
    [InlineData("flag: yes", "expected true or false, got 'yes'")]
    [InlineData("flag: \"true\"", "expected true or false, got 'true' in quotes, which is text")]
    [InlineData("flag: 1", "expected true or false, got the number 1")]
    [InlineData("oneOf: on", "expected one of: off, prefill, got 'on'")]
    public void A_value_of_the_wrong_kind_is_refused_with_what_was_expected(string yaml, string message) =>
        Assert.Equal(message, Assert.Single(Walk(yaml).Errors).Message);

    [Theory]
    [InlineData("providers: 5", "line 1, providers: expected a list, got the number 5")]
    [InlineData("providers:", "line 1, providers: expected a list, got nothing")]
    [InlineData("providers: { name: p }", "line 1, providers: expected a list, got a map of fields")]
    [InlineData("providers: [ openai ]", "line 1, providers[0]: expected a map of fields, got 'openai'")]
    [InlineData("- a", "line 1: expected a map of fields, got a list")]
    [InlineData("hello", "line 1: expected a map of fields, got 'hello'")]
    [InlineData("~", "line 1: expected a map of fields, got nothing")]
    [InlineData("workspaces: [ { name: 5 } ]", "line 1, workspaces[0].name: expected a workspace's name: lower-case letters, digits, '_' and '-'; put it in quotes, got the number 5")]
    [InlineData("workspaces: [ { name: true } ]", "line 1, workspaces[0].name: expected a workspace's name: lower-case letters, digits, '_' and '-'; put it in quotes, got true")]
    [InlineData("workspaces: [ { name: } ]", "line 1, workspaces[0].name: expected a workspace's name: lower-case letters, digits, '_' and '-'; leave the field out if there is none, got nothing")]
    [InlineData("workspaces: [ { name: '' } ]", "line 1, workspaces[0].name: expected a workspace's name: lower-case letters, digits, '_' and '-', not empty, got an empty text")]
    public void A_list_a_map_and_a_text_are_told_apart(string yaml, string error) =>
        Assert.Equal(error, Reading.Error(yaml));

    [Theory]
    [InlineData("5usd/day", "5usd/day")]
    [InlineData("0.50usd/month", "0.5usd/month")]
    [InlineData("999999999.999999usd/day", "999999999.999999usd/day")]
    [InlineData("2000000tokens/month", "2000000tokens/month")]
    [InlineData("\"${FIVE}usd/day\"", "5usd/day")]
    public void A_budget_is_an_amount_a_unit_and_a_time(string text, string budget)
    {
        var (value, errors) = Walk($"budget: {text}");

        Assert.Empty(errors);
        Assert.Equal(budget, FileBudget.Format(value!.Budget("budget")!));
    }

    [Theory]
    [InlineData("5", "the number 5")]
    [InlineData("5usd", "'5usd'")]
    [InlineData("5/day", "'5/day'")]
    [InlineData("0usd/day", "'0usd/day'")]
    [InlineData("0.00usd/day", "'0.00usd/day'")]
    [InlineData("0tokens/day", "'0tokens/day'")]
    [InlineData("1.5tokens/day", "'1.5tokens/day'")]
    [InlineData("-5usd/day", "'-5usd/day'")]
    [InlineData("$5/day", "'$5/day'")]
    [InlineData("5 usd / day", "'5 usd / day'")]
    [InlineData("5usd/week", "'5usd/week'")]
    [InlineData("5USD/day", "'5USD/day'")]
    [InlineData("1e3usd/day", "'1e3usd/day'")]
    [InlineData("0.0000001usd/day", "'0.0000001usd/day'")]
    [InlineData("{ usd: 5 }", "a map of fields")]
    [InlineData("", "nothing")]
    public void What_is_no_budget_or_one_of_nothing_is_refused(string text, string got) =>
        Assert.Equal(
            $"expected a budget such as 5usd/day or 2000000tokens/month, got {got}",
            Assert.Single(Walk($"budget: {text}").Errors).Message);

    [Fact]
    public void A_quoted_number_is_a_name() =>
        Assert.Equal("5", Reading.Valid("workspaces: [ { name: \"5\" } ]").Workspaces[0].Name);

    [Theory]
    [InlineData("1ms", 1)]
    [InlineData("500ms", 500)]
    [InlineData("3s", 3_000)]
    [InlineData("10m", 600_000)]
    [InlineData("24h", 86_400_000)]
    [InlineData("\"3s\"", 3_000)]
    public void A_duration_is_a_whole_number_and_a_unit(string text, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Reading.Valid(Timeout(text)).Models[0].Timeouts.Idle);

    [Theory]
    [InlineData("30")]
    [InlineData("0s")]
    [InlineData("25h")]
    [InlineData("1.5s")]
    [InlineData("-3s")]
    [InlineData("3 s")]
    [InlineData("3S")]
    [InlineData("s")]
    [InlineData("9999999999s")]
    [InlineData("00:00:30")]
    public void What_is_no_duration_or_out_of_range_is_refused(string text) =>
        Assert.StartsWith(
            "line 1, models[0].timeouts.idle: expected a duration such as 30s, from 1ms to 24h, got ", Reading.Error(Timeout(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("http://127.0.0.1:9100/v1", "http://127.0.0.1:9100/v1")]
    [InlineData("https://[::1]:8443", "https://[::1]:8443")]
    [InlineData("HTTPS://host/a/", "HTTPS://host/a")]
    public void An_address_may_be_any_http_address(string text, string address) =>
        Assert.Equal(address, Reading.Valid($"providers: [ {{ name: p, baseUrl: \"{text}\" }} ]").Providers[0].BaseUrl);

    [Theory]
    [InlineData("api.openai.com/v1")]
    [InlineData("/v1")]
    [InlineData("https:api.openai.com")]
    [InlineData("https://host/v1?key=1")]
    [InlineData("https://host/v1#part")]
    [InlineData("https://user:word@host/v1")]
    [InlineData("https:///v1")]
    [InlineData("https://host/a b")]
    [InlineData("file:///etc/passwd")]
    public void Another_address_is_refused(string text) =>
        Assert.StartsWith(
            "line 1, providers[0].baseUrl: expected an address such as https://api.openai.com/v1",
            Reading.Error($"providers: [ {{ name: p, baseUrl: \"{text}\" }} ]"), StringComparison.Ordinal);

    private static string Timeout(string idle) =>
        $"models: [ {{ name: m, deployments: [ {{ provider: p }} ], timeouts: {{ idle: {idle} }} }} ]";

    private static (FileValue? Value, List<FileError> Errors) Walk(string yaml)
    {
        var errors = new List<FileError>();
        var root = YamlText.Parse(yaml).Root!;
        return (new FileWalk(name => name == "FIVE" ? "5" : null, errors).Read(root, Shape, new FilePlace(1, "")), errors);
    }
}
