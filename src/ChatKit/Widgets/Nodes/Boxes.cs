namespace ChatKit.Widgets;

/// <summary>What all boxes have.</summary>
public abstract record BoxComponent : WidgetComponent
{
    private protected BoxComponent(string type)
        : base(type)
    {
    }

    /// <summary>What is inside, in order. Elements that are null are left out.</summary>
    public IReadOnlyList<WidgetComponent>? Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>Across the direction of the children.</summary>
    public Alignment? Align { get; init; }

    /// <summary>Along the direction of the children.</summary>
    public Justification? Justify { get; init; }

    /// <summary>Whether children go on in another line.</summary>
    public Wrap? Wrap { get; init; }

    /// <summary>Its share of the room, as in CSS.</summary>
    public Length? Flex { get; init; }

    /// <summary>Room between children, in spacing units or CSS.</summary>
    public Length? Gap { get; init; }

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

    /// <summary>Room inside the edge.</summary>
    public SpacingValue? Padding { get; init; }

    /// <summary>Room outside the edge.</summary>
    public SpacingValue? Margin { get; init; }

    /// <summary>The edge.</summary>
    public BorderValue? Border { get; init; }

    /// <summary>How round the corners are.</summary>
    public Radius? Radius { get; init; }

    /// <summary>The colour behind it.</summary>
    public Color? Background { get; init; }
}

/// <summary>A box.</summary>
public sealed record Box : BoxComponent
{
    /// <summary>An empty one.</summary>
    public Box()
        : base("Box")
    {
    }

    /// <summary>How the children are laid out.</summary>
    public Direction? Direction { get; init; }
}

/// <summary>A box whose children stand side by side.</summary>
public sealed record Row : BoxComponent
{
    /// <summary>An empty one.</summary>
    public Row()
        : base("Row")
    {
    }
}

/// <summary>A box whose children stand one below the other.</summary>
public sealed record Col : BoxComponent
{
    /// <summary>An empty one.</summary>
    public Col()
        : base("Col")
    {
    }
}

/// <summary>A form: the values of the fields in it go with every action fired from inside, under their names. A name that the action's own payload has already is left out.</summary>
public sealed record Form : BoxComponent
{
    /// <summary>An empty one.</summary>
    public Form()
        : base("Form")
    {
    }

    /// <summary>How the children are laid out.</summary>
    public Direction? Direction { get; init; }

    /// <summary>Fired when it is submitted, by a button with <see cref="Button.Submit"/> for instance.</summary>
    public ActionConfig? OnSubmitAction { get; init; }
}

/// <summary>Room that grows.</summary>
public sealed record Spacer : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public Spacer()
        : base("Spacer")
    {
    }

    /// <summary>In pixels or CSS.</summary>
    public Length? MinSize { get; init; }
}

/// <summary>A line.</summary>
public sealed record Divider : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public Divider()
        : base("Divider")
    {
    }

    /// <summary>Its colour.</summary>
    public Color? Color { get; init; }

    /// <summary>How thick it is, in pixels or CSS.</summary>
    public Length? Size { get; init; }

    /// <summary>Room on both sides, in spacing units or CSS.</summary>
    public Length? Spacing { get; init; }

    /// <summary>Whether it reaches the edges of the container.</summary>
    public bool? Flush { get; init; }
}

/// <summary>Animates changes of what is inside.</summary>
public sealed record Transition : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public Transition()
        : base("Transition")
    {
    }

    /// <summary>What is inside: one node.</summary>
    public WidgetComponent? Children { get; init; }
}
