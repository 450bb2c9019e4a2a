namespace ChatKit.Widgets;

/// <summary>A table.</summary>
public sealed record Table : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public Table()
        : base("Table")
    {
    }

    /// <summary>The rows. Elements that are null are left out.</summary>
    public IReadOnlyList<TableRow>? Children { get; init => field = Nodes.WithoutNulls(value); }
}

/// <summary>A row of a table.</summary>
public sealed record TableRow : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public TableRow()
        : base("Table.Row")
    {
    }

    /// <summary>The cells. Elements that are null are left out.</summary>
    public IReadOnlyList<TableCell>? Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>Whether it is the head of the table.</summary>
    public bool? Header { get; init; }
}

/// <summary>A cell of a table.</summary>
public sealed record TableCell : WidgetComponent
{
    /// <summary>An empty one.</summary>
    public TableCell()
        : base("Table.Cell")
    {
    }

    /// <summary>What is inside, in order. Elements that are null are left out.</summary>
    public IReadOnlyList<WidgetComponent>? Children { get; init => field = Nodes.WithoutNulls(value); }

    /// <summary>In pixels or CSS.</summary>
    public Length? Width { get; init; }

    /// <summary>Room inside the edge.</summary>
    public Spacing? Padding { get; init; }

    /// <summary>How many columns it takes.</summary>
    public double? ColSpan { get; init; }

    /// <summary>How many rows it takes.</summary>
    public double? RowSpan { get; init; }

    /// <summary>From left to right.</summary>
    public TextAlign? Align { get; init; }

    /// <summary>From top to bottom.</summary>
    public TextAlign? VAlign { get; init; }

    /// <summary>How wide its column is.</summary>
    public TextSize? ColSize { get; init; }
}
