using System.Text.Json.Nodes;
using ChatKit.Widgets;

namespace ChatKit.Tests.Support;

/// <summary>Items and events for handlers.</summary>
internal static class Make
{
    public static AssistantMessageItem Reply(ChatThread thread, string id, params string[] parts) => new()
    {
        Id = id,
        ThreadId = thread.Id,
        CreatedAt = TestClock.Start,
        Content = [.. parts.Select(text => new AssistantMessageContent { Text = text })],
    };

    public static WidgetItem Widget(ChatThread thread, string id, WidgetRoot widget) =>
        new() { Id = id, ThreadId = thread.Id, CreatedAt = TestClock.Start, Widget = widget };

    public static HiddenContextItem Hidden(ChatThread thread, string id, string content = "secret-note") =>
        new() { Id = id, ThreadId = thread.Id, CreatedAt = TestClock.Start, Content = content };

    public static ClientToolCallItem ToolCall(ChatThread thread, string id, string name = "get_selection") => new()
    {
        Id = id,
        ThreadId = thread.Id,
        CreatedAt = TestClock.Start,
        CallId = $"call_{id}",
        Name = name,
        Arguments = new JsonObject { ["project"] = "p1" },
    };

    public static WorkflowItem Workflow(ChatThread thread, string id, IReadOnlyList<ChatTask> tasks) => new()
    {
        Id = id,
        ThreadId = thread.Id,
        CreatedAt = TestClock.Start,
        Workflow = new() { Type = WorkflowType.Custom, Tasks = tasks },
    };

    public static StructuredInputItem Questions(ChatThread thread, string id, params StructuredInput[] inputs) =>
        new() { Id = id, ThreadId = thread.Id, CreatedAt = TestClock.Start, Inputs = inputs };

    /// <summary>A card with one text.</summary>
    public static WidgetRoot Card(string text) => new Card { Children = [new Text(text) { Id = "text" }] };

    public static ThreadItemAddedEvent Added(ThreadItem item) => new() { Item = item };

    public static ThreadItemDoneEvent Done(ThreadItem item) => new() { Item = item };

    public static ThreadItemUpdatedEvent Updated(string id, ThreadItemUpdate update) => new() { ItemId = id, Update = update };

    public static ThreadItemUpdatedEvent PartAdded(string id) =>
        Updated(id, new ContentPartAdded { ContentIndex = 0, Content = new() { Text = string.Empty } });

    public static ThreadItemUpdatedEvent Delta(string id, string text, int part = 0) =>
        Updated(id, new ContentPartTextDelta { ContentIndex = part, Delta = text });

    public static Annotation Citation(string url, int index) =>
        new() { Source = new UrlSource { Title = "Emma", Url = url }, Index = index };
}
