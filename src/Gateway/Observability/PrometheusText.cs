using System.Globalization;
using System.Text;

namespace Gateway.Observability;

/// <summary>
/// The text format of Prometheus, version 0.0.4. A metric that was never measured is there all the same, with its HELP and
/// TYPE: who writes an alert sees what there is.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Write(StringBuilder text, MetricFamily family)
    {
        text.Append("# HELP ").Append(family.Name).Append(' ').Append(Escaped(family.Help, isLabel: false)).Append('\n')
            .Append("# TYPE ").Append(family.Name).Append(' ').Append(TypeOf(family.Kind)).Append('\n');
        foreach (var series in family.Series())
        {
            if (family.Kind == MetricKind.Histogram)
            {
                WriteHistogram(text, family, series);
            }
            else if (!family.IsObserved || series.IsSeen)
            {
                WriteLine(text, family.Name, "", series.Labels, null, series.Value);
            }
        }
    }

    /// <summary>
    /// <c>gateway.request.duration</c> in <c>s</c> is <c>gateway_request_duration_seconds</c>; counters end in <c>_total</c>.
    /// </summary>
    public static string NameOf(string name, string? unit, bool isCounter)
    {
        var plain = Plain(name);
        var word = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            // Words in braces are remarks, as in {request}.
            _ => "",
        };
        if (!plain.EndsWith(word, StringComparison.Ordinal))
        {
            plain += word;
        }

        return isCounter && !plain.EndsWith("_total", StringComparison.Ordinal) ? plain + "_total" : plain;
    }

    /// <summary>Labels by name, as they stand between the braces.</summary>
    public static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var sorted = tags.ToArray();
        Array.Sort(sorted, (one, other) => string.CompareOrdinal(one.Key, other.Key));
        return string.Join(',', sorted.Select(tag => $"{Plain(tag.Key)}=\"{Escaped(TextOf(tag.Value), isLabel: true)}\""));
    }

    private static string TextOf(object? value) => value switch
    {
        true => "true",
        false => "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static void WriteHistogram(StringBuilder text, MetricFamily family, MetricSeries series)
    {
        var count = 0L;
        for (var i = 0; i <= family.Bounds.Length; i++)
        {
            count += series.CountOf(i);
            WriteLine(
                text, family.Name, "_bucket", series.Labels, i == family.Bounds.Length ? "+Inf" : NumberOf(family.Bounds[i]), count);
        }

        WriteLine(text, family.Name, "_sum", series.Labels, null, series.Value);
        // The buckets' own sum, so that it can never differ from the last one.
        WriteLine(text, family.Name, "_count", series.Labels, null, count);
    }

    private static void WriteLine(StringBuilder text, string name, string suffix, string labels, string? bound, double value)
    {
        text.Append(name).Append(suffix);
        if (labels.Length > 0 || bound is not null)
        {
            text.Append('{').Append(labels);
            if (bound is not null)
            {
                text.Append(labels.Length > 0 ? "," : "").Append("le=\"").Append(bound).Append('"');
            }

            text.Append('}');
        }

        text.Append(' ').Append(NumberOf(value)).Append('\n');
    }

    private static string NumberOf(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => "gauge",
    };

    private static string Plain(string name) =>
        string.Create(name.Length, name, (plain, text) =>
        {
            for (var i = 0; i < plain.Length; i++)
            {
                plain[i] = char.IsAsciiLetterOrDigit(text[i]) ? text[i] : '_';
            }
        });

    private static string Escaped(string text, bool isLabel)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
