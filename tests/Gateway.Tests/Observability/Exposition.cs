using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Observability;

/// <summary>A page of metrics, read as strictly as the format is written down; what breaks it throws.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> _types = [];
    private readonly HashSet<string> _helps = [];
    private readonly Dictionary<string, double> _samples = [];

    public Exposition(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        string? family = null;
        foreach (var line in text.Split('\n')[..^1])
        {
            if (Meta().Match(line) is { Success: true } meta)
            {
                family = meta.Groups["name"].Value;
                Assert.True(
                    meta.Groups["kind"].Value == "HELP" ? _helps.Add(family) : _types.TryAdd(family, meta.Groups["rest"].Value),
                    $"twice: {line}");
                continue;
            }

            var sample = Sample().Match(line);
            Assert.True(sample.Success, $"no sample: {line}");
            var name = sample.Groups["name"].Value;
            Assert.True(name == family || (_types[family!] == "histogram" && Suffixes.Any(s => name == family + s)), $"in the wrong place: {line}");
            var labels = sample.Groups["label"].Captures.Select(c => c.Value[..c.Value.IndexOf('=', StringComparison.Ordinal)]).ToList();
            Assert.Equal(labels.Distinct(), labels);
            var value = sample.Groups["value"].Value;
            _samples.Add(
                name + sample.Groups["labels"].Value,
                value == "+Inf" ? double.PositiveInfinity : double.Parse(value, CultureInfo.InvariantCulture));
        }

        Assert.Equal(_types.Keys.Order(), _helps.Order());
        AssertHistogramsAddUp();
    }

    private static readonly string[] Suffixes = ["_bucket", "_sum", "_count"];

    /// <summary>Types by name.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Everything that a query may name: a histogram's parts too.</summary>
    public IEnumerable<string> Names =>
        _types.SelectMany(t => t.Value == "histogram" ? Suffixes.Select(s => t.Key + s) : [t.Key]);

    public IReadOnlyDictionary<string, double> Samples => _samples;

    /// <summary>The value of one line, as it stands before the blank; null when there is no such line.</summary>
    public double? this[string sample] => _samples.TryGetValue(sample, out var value) ? value : null;

    private void AssertHistogramsAddUp()
    {
        foreach (var (count, value) in _samples.Where(s => s.Key.Contains("_count", StringComparison.Ordinal)))
        {
            var name = count[..count.IndexOf("_count", StringComparison.Ordinal)];
            if (_types.GetValueOrDefault(name) != "histogram")
            {
                continue;
            }

            var labels = count[(name.Length + "_count".Length)..].Trim('{', '}');
            var prefix = $"{name}_bucket{{{(labels.Length > 0 ? labels + "," : "")}le=";
            var buckets = _samples.Where(s => s.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(s => s.Value).ToList();
            Assert.NotEmpty(buckets);
            Assert.Equal(buckets.Order(), buckets);
            Assert.Equal(value, _samples[$"{prefix}\"+Inf\"}}"]);
        }
    }

    [GeneratedRegex(@"^# (?<kind>HELP|TYPE) (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<rest>.*)$")]
    private static partial Regex Meta();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{((?<label>[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")(,(?!\})|(?=\})))+\})? (?<value>[0-9.eE+-]+|\+Inf|NaN)$""")]
    private static partial Regex Sample();
}
