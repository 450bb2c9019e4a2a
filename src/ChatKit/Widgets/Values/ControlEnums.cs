using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit.Widgets;

/// <summary>How a control is filled.</summary>
[JsonConverter(typeof(WireEnumConverter<ControlVariant>))]
public enum ControlVariant
{
    /// <summary><c>solid</c></summary>
    Solid,

    /// <summary><c>soft</c></summary>
    Soft,

    /// <summary><c>outline</c></summary>
    Outline,

    /// <summary><c>ghost</c></summary>
    Ghost,
}

/// <summary>How a text field is filled.</summary>
[JsonConverter(typeof(WireEnumConverter<FieldVariant>))]
public enum FieldVariant
{
    /// <summary><c>soft</c></summary>
    Soft,

    /// <summary><c>outline</c></summary>
    Outline,
}

/// <summary>How large a control is.</summary>
[JsonConverter(typeof(WireEnumConverter<ControlSize>))]
public enum ControlSize
{
    /// <summary><c>3xs</c></summary>
    [JsonStringEnumMemberName("3xs")]
    ThreeXs,

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
}

/// <summary>How much room a text field has inside.</summary>
[JsonConverter(typeof(WireEnumConverter<GutterSize>))]
public enum GutterSize
{
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
}

/// <summary>How important a button is.</summary>
[JsonConverter(typeof(WireEnumConverter<ButtonStyle>))]
public enum ButtonStyle
{
    /// <summary><c>primary</c></summary>
    Primary,

    /// <summary><c>secondary</c></summary>
    Secondary,
}

/// <summary>The meaning that a button's colour has.</summary>
[JsonConverter(typeof(WireEnumConverter<ButtonColor>))]
public enum ButtonColor
{
    /// <summary><c>primary</c></summary>
    Primary,

    /// <summary><c>secondary</c></summary>
    Secondary,

    /// <summary><c>info</c></summary>
    Info,

    /// <summary><c>discovery</c></summary>
    Discovery,

    /// <summary><c>success</c></summary>
    Success,

    /// <summary><c>caution</c></summary>
    Caution,

    /// <summary><c>warning</c></summary>
    Warning,

    /// <summary><c>danger</c></summary>
    Danger,
}

/// <summary>How large a button's icons are.</summary>
[JsonConverter(typeof(WireEnumConverter<ButtonIconSize>))]
public enum ButtonIconSize
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
}

/// <summary>What a text field takes.</summary>
[JsonConverter(typeof(WireEnumConverter<InputType>))]
public enum InputType
{
    /// <summary><c>text</c></summary>
    Text,

    /// <summary><c>number</c></summary>
    Number,

    /// <summary><c>email</c></summary>
    Email,

    /// <summary><c>password</c></summary>
    Password,

    /// <summary><c>tel</c></summary>
    Tel,

    /// <summary><c>url</c></summary>
    Url,
}
