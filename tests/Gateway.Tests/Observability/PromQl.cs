using System.Text.RegularExpressions;

namespace Gateway.Tests.Observability;

/// <summary>As much of Prometheus' query language as it takes to see what a query names.</summary>
internal static partial class PromQl
{
    private static readonly string[] Words = ["and", "or", "unless", "bool", "on", "ignoring", "group_left", "group_right", "offset", "by", "without"];

    /// <summary>The metrics that a query asks for.</summary>
    public static IReadOnlyList<string> Metrics(string query)
    {
        AssertBalanced(query);
        var plain = Grouping().Replace(Selector().Replace(Range().Replace(Quoted().Replace(query, "\"\""), " "), " "), " ");
        return [.. Name().Matches(plain).Select(m => m.Value).Where(name => !Words.Contains(name)).Distinct()];
    }

    /// <summary>Every bracket closes the one opened last.</summary>
    private static void AssertBalanced(string query)
    {
        var open = new Stack<char>();
        foreach (var c in Quoted().Replace(query, ""))
        {
            if (c is '(' or '[' or '{')
            {
                open.Push(c);
            }
            else if (c is ')' or ']' or '}')
            {
                Assert.True(open.TryPop(out var last) && (last, c) is ('(', ')') or ('[', ']') or ('{', '}'), query);
            }
        }

        Assert.True(open.Count == 0, query);
        Assert.True(query.Count(c => c == '"') % 2 == 0, query);
    }

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Range();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Selector();

    [GeneratedRegex(@"\b(by|without|on|ignoring)\s*\([^)]*\)")]
    private static partial Regex Grouping();

    /// <summary>Not a function's name, which a bracket follows, nor a number's exponent.</summary>
    [GeneratedRegex(@"(?<![\w.])[a-zA-Z_:][a-zA-Z0-9_:]*(?![\w:])(?!\s*\()")]
    private static partial Regex Name();
}
