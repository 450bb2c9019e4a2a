using System.Runtime.CompilerServices;

namespace ChatKit.Tests.Support;

/// <summary>What tests give as context.</summary>
public sealed record Caller(string User);

/// <summary>A server whose handlers a test sets. What is not set does what the library does by default.</summary>
public sealed class ScriptedServer(
    ChatKitStore<Caller> store, AttachmentStore<Caller>? attachments = null, ChatKitServerOptions? options = null)
    : ChatKitServer<Caller>(store, attachments, options)
{
    public delegate IAsyncEnumerable<StreamEvent> Responder(ChatThread thread, UserMessageItem? message, CancellationToken cancel);

    public delegate IAsyncEnumerable<StreamEvent> Actor(ChatThread thread, WidgetAction action, WidgetItem? sender);

    public Responder OnRespond { get; set; } = (_, _, _) => Script.Of();

    public Actor? OnAction { get; set; }

    public Func<WidgetAction, WidgetItem?, ChatThread, SyncActionResult>? OnSyncAction { get; set; }

    public Func<AudioInput, Caller, TranscriptionResult>? OnTranscribe { get; set; }

    public bool AllowCancel { get; set; } = true;

    /// <summary>The context of each call of a handler.</summary>
    public List<Caller> Contexts { get; } = [];

    public List<(string ThreadId, IReadOnlyList<string> ItemIds, FeedbackKind Kind)> Feedback { get; } = [];

    public override IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, Caller context, CancellationToken cancel)
    {
        Contexts.Add(context);
        return OnRespond(thread, message, cancel);
    }

    public override IAsyncEnumerable<StreamEvent> ActionAsync(
        ChatThread thread, WidgetAction action, WidgetItem? sender, Caller context, CancellationToken cancel) =>
        OnAction is null ? base.ActionAsync(thread, action, sender, context, cancel) : OnAction(thread, action, sender);

    public override Task<SyncActionResult> SyncActionAsync(
        ChatThread thread, WidgetAction action, WidgetItem? sender, Caller context, CancellationToken cancel) =>
        OnSyncAction is null
            ? base.SyncActionAsync(thread, action, sender, context, cancel)
            : Task.FromResult(OnSyncAction(action, sender, thread));

    public override Task AddFeedbackAsync(
        string threadId, IReadOnlyList<string> itemIds, FeedbackKind kind, Caller context, CancellationToken cancel)
    {
        Contexts.Add(context);
        Feedback.Add((threadId, itemIds, kind));
        return base.AddFeedbackAsync(threadId, itemIds, kind, context, cancel);
    }

    public override Task<TranscriptionResult> TranscribeAsync(AudioInput audio, Caller context, CancellationToken cancel) =>
        OnTranscribe is null ? base.TranscribeAsync(audio, context, cancel) : Task.FromResult(OnTranscribe(audio, context));

    public override async Task<StreamOptions> GetStreamOptionsAsync(ChatThread thread, Caller context, CancellationToken cancel) =>
        await base.GetStreamOptionsAsync(thread, context, cancel) with { AllowCancel = AllowCancel };
}

/// <summary>Handlers out of lists of events.</summary>
internal static class Script
{
    public static async IAsyncEnumerable<StreamEvent> Of(params StreamEvent[] events)
    {
        foreach (var next in events)
        {
            await Task.Yield();
            yield return next;
        }
    }

    /// <summary>These events, and then nothing until the handler is told to stop; then throws as a cancelled call does.</summary>
    public static async IAsyncEnumerable<StreamEvent> ThenWait(
        StreamEvent[] events, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var next in events)
        {
            yield return next;
        }

        await Task.Delay(Timeout.Infinite, cancel);
    }

    /// <summary>These events, and then an exception.</summary>
    public static async IAsyncEnumerable<StreamEvent> ThenThrow(Exception error, params StreamEvent[] events)
    {
        foreach (var next in events)
        {
            await Task.Yield();
            yield return next;
        }

        throw error;
    }
}
