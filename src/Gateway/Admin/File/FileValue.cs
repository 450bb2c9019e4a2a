using Gateway.Data;

namespace Gateway.Admin.File;

/// <summary>A value that has the shape it should have. What has not is missing, and an error says why.</summary>
/// <remarks>The content is text, <see cref="Secret"/>, <see cref="TimeSpan"/>, decimal, bool, <see cref="Data.Budget"/>,
/// <see cref="FileJson"/>, a list or an object's fields.</remarks>
internal sealed class FileValue(object content, FilePlace at)
{
    public object Content { get; } = content;

    public FilePlace At { get; } = at;

    public FileValue? this[string field] =>
        (Content as IReadOnlyDictionary<string, FileValue>)?.GetValueOrDefault(field);

    public IReadOnlyList<FileValue> Items(string field) => this[field]?.Content as IReadOnlyList<FileValue> ?? [];

    public IReadOnlyList<string> Texts(string field) => [.. Items(field).Select(item => (string)item.Content)];

    public string? Text(string field) => this[field]?.Content as string;

    public Secret? Secret(string field) => this[field]?.Content as Secret;

    public FileJson? Json(string field) => this[field]?.Content as FileJson;

    public decimal? Number(string field) => this[field]?.Content as decimal?;

    /// <summary>A number whose shape says that it is whole and small enough.</summary>
    public int? Whole(string field) => (int?)Number(field);

    public bool? Flag(string field) => this[field]?.Content as bool?;

    public Budget? Budget(string field) => this[field]?.Content as Budget;

    public TimeSpan? Duration(string field) => this[field]?.Content as TimeSpan?;

    /// <summary>The members of a map with free names.</summary>
    public IReadOnlyDictionary<string, FileValue> Map(string field) =>
        this[field]?.Content as IReadOnlyDictionary<string, FileValue> ?? new Dictionary<string, FileValue>();
}

/// <param name="Text">A JSON object.</param>
/// <param name="Names">Its members' names.</param>
internal sealed record FileJson(string Text, IReadOnlySet<string> Names);
