namespace ChatKit.Widgets;

/// <summary>A button.</summary>
public sealed record Button : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public Button()
        : base("Button")
    {
    }

    /// <summary>What it says.</summary>
    public string? Label { get; init; }

    /// <summary>Whether it submits the form around it.</summary>
    public bool? Submit { get; init; }

    /// <summary>Fired when it is clicked.</summary>
    public ActionConfig? OnClickAction { get; init; }

    /// <summary>Before the label.</summary>
    public IconName? IconStart { get; init; }

    /// <summary>After the label.</summary>
    public IconName? IconEnd { get; init; }

    /// <summary>How important it is.</summary>
    public ButtonStyle? Style { get; init; }

    /// <summary>How large its icons are.</summary>
    public ButtonIconSize? IconSize { get; init; }

    /// <summary>What the colour means.</summary>
    public ButtonColor? Color { get; init; }

    /// <summary>How it is filled.</summary>
    public ControlVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public ControlSize? Size { get; init; }

    /// <summary>Whether its ends are round.</summary>
    public bool? Pill { get; init; }

    /// <summary>Whether it is as wide as high.</summary>
    public bool? Uniform { get; init; }

    /// <summary>Whether it takes the whole width.</summary>
    public bool? Block { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }
}

/// <summary>A text field of one line.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record Input(string Name) : WidgetComponent("Input")
{
    /// <summary>What it takes.</summary>
    public InputType? InputType { get; init; }

    /// <summary>The value to begin with.</summary>
    public string? DefaultValue { get; init; }

    /// <summary>Whether the form cannot be sent without a value.</summary>
    public bool? Required { get; init; }

    /// <summary>A regular expression that the value must match for the form to be sent.</summary>
    public string? Pattern { get; init; }

    /// <summary>Shown while there is no value.</summary>
    public string? Placeholder { get; init; }

    /// <summary>Whether password managers and the like may fill it.</summary>
    public bool? AllowAutofillExtensions { get; init; }

    /// <summary>Whether its text is selected on focus.</summary>
    public bool? AutoSelect { get; init; }

    /// <summary>Whether it takes the focus when it appears.</summary>
    public bool? AutoFocus { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }

    /// <summary>How it is filled.</summary>
    public FieldVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public ControlSize? Size { get; init; }

    /// <summary>Room inside.</summary>
    public GutterSize? GutterSize { get; init; }

    /// <summary>Whether its ends are round.</summary>
    public bool? Pill { get; init; }
}

/// <summary>A text field of several lines.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record Textarea(string Name) : WidgetComponent("Textarea")
{
    /// <summary>The value to begin with.</summary>
    public string? DefaultValue { get; init; }

    /// <summary>Whether the form cannot be sent without a value.</summary>
    public bool? Required { get; init; }

    /// <summary>A regular expression that the value must match for the form to be sent.</summary>
    public string? Pattern { get; init; }

    /// <summary>Shown while there is no value.</summary>
    public string? Placeholder { get; init; }

    /// <summary>Whether password managers and the like may fill it.</summary>
    public bool? AllowAutofillExtensions { get; init; }

    /// <summary>Whether its text is selected on focus.</summary>
    public bool? AutoSelect { get; init; }

    /// <summary>Whether it takes the focus when it appears.</summary>
    public bool? AutoFocus { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }

    /// <summary>How it is filled.</summary>
    public FieldVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public ControlSize? Size { get; init; }

    /// <summary>Room inside.</summary>
    public GutterSize? GutterSize { get; init; }

    /// <summary>Lines shown to begin with.</summary>
    public int? Rows { get; init; }

    /// <summary>Whether it grows with the text.</summary>
    public bool? AutoResize { get; init; }

    /// <summary>Lines up to which it grows.</summary>
    public int? MaxRows { get; init; }
}

/// <summary>The label of a field.</summary>
/// <param name="Value">The text.</param>
/// <param name="FieldName">The name of the field.</param>
public sealed record Label(string Value, string FieldName) : WidgetComponent("Label")
{
    /// <summary>How large it is.</summary>
    public TextSize? Size { get; init; }

    /// <summary>How bold it is.</summary>
    public FontWeight? Weight { get; init; }

    /// <summary>How it is aligned.</summary>
    public TextAlign? TextAlign { get; init; }

    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }
}
