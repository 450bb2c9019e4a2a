using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit.Widgets;

/// <summary>How large an icon is.</summary>
[JsonConverter(typeof(WireEnumConverter<IconSize>))]
public enum IconSize
{
    /// <summary><c>xs</c></summary>
    Xs,

    /// <summary><c>sm</c></summary>
    Sm,

    /// <summary><c>md</c></summary>
    Md,

    /// <summary><c>lg</c></summary>
    Lg,

    /// <summary><c>xl</c></summary>
    Xl,

    /// <summary><c>2xl</c></summary>
    [JsonStringEnumMemberName("2xl")]
    TwoXl,

    /// <summary><c>3xl</c></summary>
    [JsonStringEnumMemberName("3xl")]
    ThreeXl,
}

/// <summary>How a picture fills its box.</summary>
[JsonConverter(typeof(WireEnumConverter<ImageFit>))]
public enum ImageFit
{
    /// <summary><c>cover</c></summary>
    Cover,

    /// <summary><c>contain</c></summary>
    Contain,

    /// <summary><c>fill</c></summary>
    Fill,

    /// <summary><c>scale-down</c></summary>
    [JsonStringEnumMemberName("scale-down")]
    ScaleDown,

    /// <summary><c>none</c></summary>
    None,
}

/// <summary>Which part of a picture is kept where it is cut.</summary>
[JsonConverter(typeof(WireEnumConverter<ImagePosition>))]
public enum ImagePosition
{
    /// <summary><c>top left</c></summary>
    [JsonStringEnumMemberName("top left")]
    TopLeft,

    /// <summary><c>top</c></summary>
    Top,

    /// <summary><c>top right</c></summary>
    [JsonStringEnumMemberName("top right")]
    TopRight,

    /// <summary><c>left</c></summary>
    Left,

    /// <summary><c>center</c></summary>
    Center,

    /// <summary><c>right</c></summary>
    Right,

    /// <summary><c>bottom left</c></summary>
    [JsonStringEnumMemberName("bottom left")]
    BottomLeft,

    /// <summary><c>bottom</c></summary>
    Bottom,

    /// <summary><c>bottom right</c></summary>
    [JsonStringEnumMemberName("bottom right")]
    BottomRight,
}

/// <summary>How a chart draws a line between its points.</summary>
[JsonConverter(typeof(WireEnumConverter<CurveType>))]
public enum CurveType
{
    /// <summary><c>basis</c></summary>
    Basis,

    /// <summary><c>basisClosed</c></summary>
    [JsonStringEnumMemberName("basisClosed")]
    BasisClosed,

    /// <summary><c>basisOpen</c></summary>
    [JsonStringEnumMemberName("basisOpen")]
    BasisOpen,

    /// <summary><c>bumpX</c></summary>
    [JsonStringEnumMemberName("bumpX")]
    BumpX,

    /// <summary><c>bumpY</c></summary>
    [JsonStringEnumMemberName("bumpY")]
    BumpY,

    /// <summary><c>bump</c></summary>
    Bump,

    /// <summary><c>linear</c></summary>
    Linear,

    /// <summary><c>linearClosed</c></summary>
    [JsonStringEnumMemberName("linearClosed")]
    LinearClosed,

    /// <summary><c>natural</c></summary>
    Natural,

    /// <summary><c>monotoneX</c></summary>
    [JsonStringEnumMemberName("monotoneX")]
    MonotoneX,

    /// <summary><c>monotoneY</c></summary>
    [JsonStringEnumMemberName("monotoneY")]
    MonotoneY,

    /// <summary><c>monotone</c></summary>
    Monotone,

    /// <summary><c>step</c></summary>
    Step,

    /// <summary><c>stepBefore</c></summary>
    [JsonStringEnumMemberName("stepBefore")]
    StepBefore,

    /// <summary><c>stepAfter</c></summary>
    [JsonStringEnumMemberName("stepAfter")]
    StepAfter,
}
