namespace ChatKit.Widgets;

/// <summary>Plain text. Can be streamed into where it has an id.</summary>
/// <param name="Value">The text.</param>
public sealed record Text(string Value) : WidgetComponent("Text")
{
    /// <summary>True while more text is to come.</summary>
    public bool? Streaming { get; init; }

    /// <summary>Whether it is italic.</summary>
    public bool? Italic { get; init; }

    /// <summary>Whether it is struck through.</summary>
    public bool? LineThrough { get; init; }

    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How bold it is.</summary>
    public FontWeight? Weight { get; init; }

    /// <summary>In pixels or CSS.</summary>
    public Length? Width { get; init; }

    /// <summary>How large it is.</summary>
    public TextSize? Size { get; init; }

    /// <summary>How it is aligned.</summary>
    public TextAlign? TextAlign { get; init; }

    /// <summary>Whether it is cut with an ellipsis where it does not fit.</summary>
    public bool? Truncate { get; init; }

    /// <summary>Room for so many lines at least.</summary>
    public int? MinLines { get; init; }

    /// <summary>Most lines shown.</summary>
    public int? MaxLines { get; init; }

    /// <summary>Makes the text a field of the form.</summary>
    public EditableText? Editable { get; init; }
}

/// <summary>A title.</summary>
/// <param name="Value">The text.</param>
public sealed record Title(string Value) : WidgetComponent("Title")
{
    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How bold it is.</summary>
    public FontWeight? Weight { get; init; }

    /// <summary>How large it is.</summary>
    public TitleSize? Size { get; init; }

    /// <summary>How it is aligned.</summary>
    public TextAlign? TextAlign { get; init; }

    /// <summary>Whether it is cut with an ellipsis where it does not fit.</summary>
    public bool? Truncate { get; init; }

    /// <summary>Most lines shown.</summary>
    public int? MaxLines { get; init; }
}

/// <summary>Small text beside something.</summary>
/// <param name="Value">The text.</param>
public sealed record Caption(string Value) : WidgetComponent("Caption")
{
    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How bold it is.</summary>
    public FontWeight? Weight { get; init; }

    /// <summary>How large it is.</summary>
    public CaptionSize? Size { get; init; }

    /// <summary>How it is aligned.</summary>
    public TextAlign? TextAlign { get; init; }

    /// <summary>Whether it is cut with an ellipsis where it does not fit.</summary>
    public bool? Truncate { get; init; }

    /// <summary>Most lines shown.</summary>
    public int? MaxLines { get; init; }
}

/// <summary>Markdown. Can be streamed into where it has an id.</summary>
/// <param name="Value">The Markdown.</param>
public sealed record Markdown(string Value) : WidgetComponent("Markdown")
{
    /// <summary>True while more text is to come.</summary>
    public bool? Streaming { get; init; }
}

/// <summary>A few words on a coloured ground.</summary>
/// <param name="Label">The words.</param>
public sealed record Badge(string Label) : WidgetComponent("Badge")
{
    /// <summary>What the colour means.</summary>
    public BadgeColor? Color { get; init; }

    /// <summary>How it is filled.</summary>
    public BadgeVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public BadgeSize? Size { get; init; }

    /// <summary>Whether its ends are round.</summary>
    public bool? Pill { get; init; }
}

/// <summary>An icon.</summary>
/// <param name="Name">Its name; text converts to it.</param>
public sealed record Icon(IconName Name) : WidgetComponent("Icon")
{
    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How large it is.</summary>
    public IconSize? Size { get; init; }
}

/// <summary>A picture.</summary>
/// <param name="Src">Its URL; a <c>data:</c> URL is allowed.</param>
public sealed record Image(string Src) : WidgetComponent("Image")
{
    /// <summary>Says what is on it.</summary>
    public string? Alt { get; init; }

    /// <summary>How it fills its box.</summary>
    public ImageFit? Fit { get; init; }

    /// <summary>Which part is kept where it is cut.</summary>
    public ImagePosition? Position { get; init; }

    /// <summary>How round the corners are.</summary>
    public Radius? Radius { get; init; }

    /// <summary>Whether it has a thin edge.</summary>
    public bool? Frame { get; init; }

    /// <summary>Whether it reaches the edges of the container.</summary>
    public bool? Flush { get; init; }

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

    /// <summary>Room outside the edge.</summary>
    public SpacingValue? Margin { get; init; }

    /// <summary>The colour behind it.</summary>
    public Color? Background { get; init; }

    /// <summary>Its share of the room, as in CSS.</summary>
    public Length? Flex { get; init; }
}
