using System.Security.Cryptography;

namespace ChatKit;

/// <summary>What an item's id is made for. Widgets, pictures, structured input and your own hidden context are messages too.</summary>
public enum ItemKind
{
    /// <summary>Prefix <c>msg_</c>.</summary>
    Message,

    /// <summary>A client tool call: prefix <c>tc_</c>.</summary>
    ToolCall,

    /// <summary>A task on its own: prefix <c>tsk_</c>.</summary>
    Task,

    /// <summary>Prefix <c>wf_</c>.</summary>
    Workflow,

    /// <summary>Hidden context that this library writes: prefix <c>shcx_</c>.</summary>
    SdkHiddenContext,
}

/// <summary>
/// Ids as this library makes them: a prefix that tells the kind, and 24 hexadecimal digits (96 bits) from the system's
/// random numbers, so that they cannot be guessed and do not meet.
/// </summary>
public static class ChatKitIds
{
    private const int Digits = 24;

    /// <summary>An id for a thread, <c>thr_…</c>.</summary>
    public static string NewThreadId() => New("thr");

    /// <summary>An id for an attachment, <c>atc_…</c>.</summary>
    public static string NewAttachmentId() => New("atc");

    /// <summary>An id for an item.</summary>
    public static string NewItemId(ItemKind kind) => New(kind switch
    {
        ItemKind.Message => "msg",
        ItemKind.ToolCall => "tc",
        ItemKind.Task => "tsk",
        ItemKind.Workflow => "wf",
        ItemKind.SdkHiddenContext => "shcx",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    });

    private static string New(string prefix) => $"{prefix}_{RandomNumberGenerator.GetHexString(Digits, lowercase: true)}";
}
