namespace ChatKit.Widgets;

/// <summary>A card.</summary>
public sealed record Card : WidgetRoot
{
    /// <summary>An empty one.</summary>
    public Card()
        : base("Card")
    {
    }

    /// <summary>What is inside, in order. Elements that are null are left out.</summary>
    public required IReadOnlyList<WidgetComponent> Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>Whether the card is a form: the values of its fields go with its confirm action.</summary>
    public bool? AsForm { get; init; }

    /// <summary>How wide it is.</summary>
    public CardSize? Size { get; init; }

    /// <summary>Room inside the edge.</summary>
    public SpacingValue? Padding { get; init; }

    /// <summary>The colour behind it.</summary>
    public Color? Background { get; init; }

    /// <summary>The edge.</summary>
    public BorderValue? Border { get; init; }

    /// <summary>A line above the widget.</summary>
    public WidgetStatus? Status { get; init; }

    /// <summary>Whether the body is folded once the main action was taken.</summary>
    public bool? Collapsed { get; init; }

    /// <summary>The main button.</summary>
    public CardAction? Confirm { get; init; }

    /// <summary>The other button.</summary>
    public CardAction? Cancel { get; init; }

    /// <summary>Overrides the chat's colours.</summary>
    public Theme? Theme { get; init; }
}

/// <summary>A list.</summary>
public sealed record ListView : WidgetRoot
{
    /// <summary>An empty one.</summary>
    public ListView()
        : base("ListView")
    {
    }

    /// <summary>The rows. Elements that are null are left out.</summary>
    public required IReadOnlyList<ListViewItem> Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>How many rows are shown before "show more".</summary>
    public ListLimit? Limit { get; init; }

    /// <summary>A line above the widget.</summary>
    public WidgetStatus? Status { get; init; }

    /// <summary>Overrides the chat's colours.</summary>
    public Theme? Theme { get; init; }
}

/// <summary>A row of a list.</summary>
public sealed record ListViewItem : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public ListViewItem()
        : base("ListViewItem")
    {
    }

    /// <summary>What is inside, in order. Elements that are null are left out.</summary>
    public required IReadOnlyList<WidgetComponent> Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>Fired when the row is clicked.</summary>
    public ActionConfig? OnClickAction { get; init; }

    /// <summary>Room between children, in spacing units or CSS.</summary>
    public Length? Gap { get; init; }

    /// <summary>Across the direction of the children.</summary>
    public Alignment? Align { get; init; }
}

/// <summary>A plain container, without the looks of a card.</summary>
public sealed record Basic : WidgetRoot
{
    /// <summary>An empty one.</summary>
    public Basic()
        : base("Basic")
    {
    }

    /// <summary>What is inside, in order; whole widgets too. Elements that are null are left out.</summary>
    public IReadOnlyList<WidgetNode>? Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>Overrides the chat's colours.</summary>
    public Theme? Theme { get; init; }

    /// <summary>How the children are laid out.</summary>
    public Direction? Direction { get; init; }

    /// <summary>Room between children, in spacing units or CSS.</summary>
    public Length? Gap { get; init; }

    /// <summary>Room inside the edge.</summary>
    public SpacingValue? Padding { get; init; }

    /// <summary>Across the direction of the children.</summary>
    public Alignment? Align { get; init; }

    /// <summary>Along the direction of the children.</summary>
    public Justification? Justify { get; init; }
}
