using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit.Widgets;

/// <summary>How text is aligned.</summary>
[JsonConverter(typeof(WireEnumConverter<TextAlign>))]
public enum TextAlign
{
    /// <summary><c>start</c></summary>
    Start,

    /// <summary><c>center</c></summary>
    Center,

    /// <summary><c>end</c></summary>
    End,
}

/// <summary>How bold text is.</summary>
[JsonConverter(typeof(WireEnumConverter<FontWeight>))]
public enum FontWeight
{
    /// <summary><c>normal</c></summary>
    Normal,

    /// <summary><c>medium</c></summary>
    Medium,

    /// <summary><c>semibold</c></summary>
    Semibold,

    /// <summary><c>bold</c></summary>
    Bold,
}

/// <summary>How large text is.</summary>
[JsonConverter(typeof(WireEnumConverter<TextSize>))]
public enum TextSize
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
}

/// <summary>How large a title is.</summary>
[JsonConverter(typeof(WireEnumConverter<TitleSize>))]
public enum TitleSize
{
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

    /// <summary><c>5xl</c></summary>
    [JsonStringEnumMemberName("5xl")]
    FiveXl,
}

/// <summary>How large a caption is.</summary>
[JsonConverter(typeof(WireEnumConverter<CaptionSize>))]
public enum CaptionSize
{
    /// <summary><c>sm</c></summary>
    Sm,

    /// <summary><c>md</c></summary>
    Md,

    /// <summary><c>lg</c></summary>
    Lg,
}

/// <summary>How large a badge is.</summary>
[JsonConverter(typeof(WireEnumConverter<BadgeSize>))]
public enum BadgeSize
{
    /// <summary><c>sm</c></summary>
    Sm,

    /// <summary><c>md</c></summary>
    Md,

    /// <summary><c>lg</c></summary>
    Lg,
}

/// <summary>The meaning that a badge's colour has.</summary>
[JsonConverter(typeof(WireEnumConverter<BadgeColor>))]
public enum BadgeColor
{
    /// <summary><c>secondary</c></summary>
    Secondary,

    /// <summary><c>success</c></summary>
    Success,

    /// <summary><c>danger</c></summary>
    Danger,

    /// <summary><c>warning</c></summary>
    Warning,

    /// <summary><c>info</c></summary>
    Info,

    /// <summary><c>discovery</c></summary>
    Discovery,
}

/// <summary>How a badge is filled.</summary>
[JsonConverter(typeof(WireEnumConverter<BadgeVariant>))]
public enum BadgeVariant
{
    /// <summary><c>solid</c></summary>
    Solid,

    /// <summary><c>soft</c></summary>
    Soft,

    /// <summary><c>outline</c></summary>
    Outline,
}
