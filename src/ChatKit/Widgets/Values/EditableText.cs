using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatKit.Widgets;

/// <summary>Whether a text is a field of the form: <see cref="EditableProps"/>, which convert to it, or <see cref="No"/>.</summary>
[JsonConverter(typeof(EditableTextConverter))]
public sealed record EditableText : WidgetValue
{
    private EditableText(object value)
        : base(value)
    {
    }

    /// <summary>It is not; the same as leaving it out.</summary>
    public static EditableText No { get; } = new(false);

    /// <summary>It is; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static implicit operator EditableText?(EditableProps? value) => value is null ? null : new((object)value);

    internal static EditableText? From(object value) => value is EditableProps or false ? new(value) : null;
}

/// <summary>What makes a text a field of the form.</summary>
/// <param name="Name">The member of the form's payload; dots nest (<c>todo.title</c>).</param>
public sealed record EditableProps(string Name)
{
    /// <summary>Whether it takes the focus when it appears.</summary>
    public bool? AutoFocus { get; init; }

    /// <summary>Whether its text is selected on focus.</summary>
    public bool? AutoSelect { get; init; }

    /// <summary>What browsers may fill in, as in HTML.</summary>
    public string? AutoComplete { get; init; }

    /// <summary>Whether password managers and the like may fill it.</summary>
    public bool? AllowAutofillExtensions { get; init; }

    /// <summary>A regular expression that the value must match for the form to be sent.</summary>
    public string? Pattern { get; init; }

    /// <summary>Shown while it is empty.</summary>
    public string? Placeholder { get; init; }

    /// <summary>Whether the form cannot be sent without a value.</summary>
    public bool? Required { get; init; }
}

internal sealed class EditableTextConverter : WidgetValueConverter<EditableText>
{
    protected override EditableText? Make(object value) => EditableText.From(value);

    protected override Type RecordOf(JsonElement value) => typeof(EditableProps);
}
