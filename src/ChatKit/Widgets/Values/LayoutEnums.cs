using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit.Widgets;

/// <summary>Colours of a widget.</summary>
[JsonConverter(typeof(WireEnumConverter<Theme>))]
public enum Theme
{
    /// <summary><c>light</c></summary>
    Light,

    /// <summary><c>dark</c></summary>
    Dark,
}

/// <summary>How children are laid out.</summary>
[JsonConverter(typeof(WireEnumConverter<Direction>))]
public enum Direction
{
    /// <summary>Side by side.</summary>
    Row,

    /// <summary>One below the other.</summary>
    Col,
}

/// <summary>How children are aligned across the direction they are laid out in.</summary>
[JsonConverter(typeof(WireEnumConverter<Alignment>))]
public enum Alignment
{
    /// <summary><c>start</c></summary>
    Start,

    /// <summary><c>center</c></summary>
    Center,

    /// <summary><c>end</c></summary>
    End,

    /// <summary><c>baseline</c></summary>
    Baseline,

    /// <summary><c>stretch</c></summary>
    Stretch,
}

/// <summary>How children are spread along the direction they are laid out in.</summary>
[JsonConverter(typeof(WireEnumConverter<Justification>))]
public enum Justification
{
    /// <summary><c>start</c></summary>
    Start,

    /// <summary><c>center</c></summary>
    Center,

    /// <summary><c>end</c></summary>
    End,

    /// <summary><c>between</c></summary>
    Between,

    /// <summary><c>around</c></summary>
    Around,

    /// <summary><c>evenly</c></summary>
    Evenly,

    /// <summary><c>stretch</c></summary>
    Stretch,
}

/// <summary>Whether children go on in another line.</summary>
[JsonConverter(typeof(WireEnumConverter<Wrap>))]
public enum Wrap
{
    /// <summary><c>nowrap</c></summary>
    Nowrap,

    /// <summary><c>wrap</c></summary>
    Wrap,

    /// <summary><c>wrap-reverse</c></summary>
    [JsonStringEnumMemberName("wrap-reverse")]
    WrapReverse,
}

/// <summary>How a border is drawn.</summary>
[JsonConverter(typeof(WireEnumConverter<BorderStyle>))]
public enum BorderStyle
{
    /// <summary><c>solid</c></summary>
    Solid,

    /// <summary><c>dashed</c></summary>
    Dashed,

    /// <summary><c>dotted</c></summary>
    Dotted,

    /// <summary><c>double</c></summary>
    [SuppressMessage("Naming", "CA1720", Justification = "The protocol's word.")]
    Double,

    /// <summary><c>groove</c></summary>
    Groove,

    /// <summary><c>ridge</c></summary>
    Ridge,

    /// <summary><c>inset</c></summary>
    Inset,

    /// <summary><c>outset</c></summary>
    Outset,
}

/// <summary>How round corners are.</summary>
[JsonConverter(typeof(WireEnumConverter<Radius>))]
public enum Radius
{
    /// <summary><c>none</c></summary>
    None,

    /// <summary><c>2xs</c></summary>
    [JsonStringEnumMemberName("2xs")]
    TwoXs,

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

    /// <summary><c>4xl</c></summary>
    [JsonStringEnumMemberName("4xl")]
    FourXl,

    /// <summary><c>full</c></summary>
    Full,

    /// <summary><c>100%</c></summary>
    [JsonStringEnumMemberName("100%")]
    Percent100,
}

/// <summary>On which side something opens.</summary>
[JsonConverter(typeof(WireEnumConverter<Side>))]
public enum Side
{
    /// <summary><c>top</c></summary>
    Top,

    /// <summary><c>bottom</c></summary>
    Bottom,

    /// <summary><c>left</c></summary>
    Left,

    /// <summary><c>right</c></summary>
    Right,
}

/// <summary>How wide a card is.</summary>
[JsonConverter(typeof(WireEnumConverter<CardSize>))]
public enum CardSize
{
    /// <summary><c>sm</c></summary>
    Sm,

    /// <summary><c>md</c></summary>
    Md,

    /// <summary><c>lg</c></summary>
    Lg,

    /// <summary><c>full</c></summary>
    Full,
}
