using System.Diagnostics.CodeAnalysis;

namespace ChatKit.Widgets;

/// <summary>One of several options, in a menu.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
/// <param name="Options">What there is to choose from.</param>
[SuppressMessage("Naming", "CA1716", Justification = "The protocol's word.")]
public sealed record Select(string Name, IReadOnlyList<SelectOption> Options) : WidgetComponent("Select")
{
    /// <summary>Fired when the value changes.</summary>
    public ActionConfig? OnChangeAction { get; init; }

    /// <summary>Shown while there is no value.</summary>
    public string? Placeholder { get; init; }

    /// <summary>The value of the option chosen to begin with.</summary>
    public string? DefaultValue { get; init; }

    /// <summary>How it is filled.</summary>
    public ControlVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public ControlSize? Size { get; init; }

    /// <summary>Whether its ends are round.</summary>
    public bool? Pill { get; init; }

    /// <summary>Whether it takes the whole width.</summary>
    public bool? Block { get; init; }

    /// <summary>Whether the value can be taken away.</summary>
    public bool? Clearable { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Whether the options can be searched. By default where there are more than 15.</summary>
    public bool? Searchable { get; init; }
}

/// <summary>One option of a <see cref="Select"/>.</summary>
/// <param name="Value">What is sent.</param>
/// <param name="Label">What is shown.</param>
public sealed record SelectOption(string Value, string Label)
{
    /// <summary>Whether it cannot be chosen.</summary>
    public bool? Disabled { get; init; }

    /// <summary>A line below the label.</summary>
    public string? Description { get; init; }
}

/// <summary>A date.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record DatePicker(string Name) : WidgetComponent("DatePicker")
{
    /// <summary>Fired when the value changes.</summary>
    public ActionConfig? OnChangeAction { get; init; }

    /// <summary>Shown while there is no value.</summary>
    public string? Placeholder { get; init; }

    /// <summary>The date to begin with. Sent with the kind that it has.</summary>
    public DateTime? DefaultValue { get; init; }

    /// <summary>The earliest date.</summary>
    public DateTime? Min { get; init; }

    /// <summary>The latest date.</summary>
    public DateTime? Max { get; init; }

    /// <summary>How it is filled.</summary>
    public ControlVariant? Variant { get; init; }

    /// <summary>How large it is.</summary>
    public ControlSize? Size { get; init; }

    /// <summary>Where the calendar opens.</summary>
    public Side? Side { get; init; }

    /// <summary>How the calendar is aligned.</summary>
    public TextAlign? Align { get; init; }

    /// <summary>Whether its ends are round.</summary>
    public bool? Pill { get; init; }

    /// <summary>Whether it takes the whole width.</summary>
    public bool? Block { get; init; }

    /// <summary>Whether the value can be taken away.</summary>
    public bool? Clearable { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }
}

/// <summary>Yes or no.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record Checkbox(string Name) : WidgetComponent("Checkbox")
{
    /// <summary>What it says.</summary>
    public string? Label { get; init; }

    /// <summary>Whether it is checked to begin with.</summary>
    public bool? DefaultChecked { get; init; }

    /// <summary>Fired when the value changes.</summary>
    public ActionConfig? OnChangeAction { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Whether the form cannot be sent without a value.</summary>
    public bool? Required { get; init; }
}

/// <summary>One of several options, all shown.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record RadioGroup(string Name) : WidgetComponent("RadioGroup")
{
    /// <summary>What there is to choose from.</summary>
    public IReadOnlyList<RadioOption>? Options { get; init; }

    /// <summary>What a screen reader says; the name by default.</summary>
    public string? AriaLabel { get; init; }

    /// <summary>Fired when the value changes.</summary>
    public ActionConfig? OnChangeAction { get; init; }

    /// <summary>The value of the option chosen to begin with.</summary>
    public string? DefaultValue { get; init; }

    /// <summary>How the children are laid out.</summary>
    public Direction? Direction { get; init; }

    /// <summary>Whether it takes no input.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Whether the form cannot be sent without a value.</summary>
    public bool? Required { get; init; }
}

/// <summary>One option of a <see cref="RadioGroup"/>.</summary>
/// <param name="Label">What is shown.</param>
/// <param name="Value">What is sent.</param>
public sealed record RadioOption(string Label, string Value)
{
    /// <summary>Whether it cannot be chosen.</summary>
    public bool? Disabled { get; init; }
}
