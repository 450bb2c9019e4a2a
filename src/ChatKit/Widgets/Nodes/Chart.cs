using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>A chart.</summary>
/// <param name="Data">The points: values by the name of their field.</param>
/// <param name="Series">What is drawn.</param>
/// <param name="XAxis">The horizontal axis: the name of its field, or more.</param>
public sealed record Chart(IReadOnlyList<IReadOnlyDictionary<string, ChartValue>> Data, IReadOnlyList<ChartSeries> Series, XAxis XAxis) : WidgetComponent("Chart")
{
    /// <summary>Whether the vertical axis is shown.</summary>
    public bool? ShowYAxis { get; init; }

    /// <summary>Whether the series are named.</summary>
    public bool? ShowLegend { get; init; }

    /// <summary>Whether hovering shows values.</summary>
    public bool? ShowTooltip { get; init; }

    /// <summary>Between bars of one point, in pixels.</summary>
    public int? BarGap { get; init; }

    /// <summary>Between the bars of two points, in pixels.</summary>
    public int? BarCategoryGap { get; init; }

    /// <summary>Its share of the room, as in CSS.</summary>
    public Length? Flex { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? Height { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? Width { get; init; }

    /// <summary>Both height and width, in pixels or CSS.</summary>
    public Length? Size { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MinHeight { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MinWidth { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MinSize { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MaxHeight { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MaxWidth { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? MaxSize { get; init; }

    /// <summary>Width divided by height: a number, or text such as <c>16/9</c>.</summary>
    public Length? AspectRatio { get; init; }
}

/// <summary>One series of a chart.</summary>
/// <param name="DataKey">The field of the points that is drawn.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(BarSeries), "bar")]
[JsonDerivedType(typeof(AreaSeries), "area")]
[JsonDerivedType(typeof(LineSeries), "line")]
public abstract record ChartSeries(string DataKey)
{
    /// <summary>Its name in the legend.</summary>
    public string? Label { get; init; }

    /// <summary>Its colour; one of <c>blue</c>, <c>purple</c>, <c>orange</c>, <c>green</c>, <c>red</c>, <c>yellow</c>, <c>pink</c> in turn by default.</summary>
    public Color? Color { get; init; }
}

/// <summary>Bars.</summary>
/// <param name="DataKey">The field of the points that is drawn.</param>
public sealed record BarSeries(string DataKey) : ChartSeries(DataKey)
{
    /// <summary>Series with the same name stand on one another.</summary>
    public string? Stack { get; init; }
}

/// <summary>A filled line.</summary>
/// <param name="DataKey">The field of the points that is drawn.</param>
public sealed record AreaSeries(string DataKey) : ChartSeries(DataKey)
{
    /// <summary>Series with the same name stand on one another.</summary>
    public string? Stack { get; init; }

    /// <summary>How the line is drawn between points.</summary>
    public CurveType? CurveType { get; init; }
}

/// <summary>A line.</summary>
/// <param name="DataKey">The field of the points that is drawn.</param>
public sealed record LineSeries(string DataKey) : ChartSeries(DataKey)
{
    /// <summary>How it is drawn between points.</summary>
    public CurveType? CurveType { get; init; }
}

/// <summary>The horizontal axis of a chart.</summary>
/// <param name="DataKey">The field of the points that it shows.</param>
public sealed record XAxisConfig(string DataKey)
{
    /// <summary>Whether it is not shown.</summary>
    public bool? Hide { get; init; }

    /// <summary>What is shown instead of a value.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}
