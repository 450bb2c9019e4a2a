using ChatKit;
using Gateway.Http;

namespace Gateway.ChatKit;

/// <summary>
/// How much one request may put into a thread. A thread's items are read again with each turn and with each page of them, so
/// one is bounded far below what a body may have.
/// </summary>
internal static class RequestLimits
{
    /// <summary>Of a message, an action or answers to questions: all of the request, in bytes of JSON without needless escapes.</summary>
    private const int MostBytes = 256 * 1_024;

    /// <summary>Of what a tool of the page answers, likewise.</summary>
    private const int MostBytesOfResult = 1_024 * 1_024;

    /// <summary>Of a thread's title, in characters.</summary>
    private const int MostTitle = 255;

    /// <summary>Items that one judgement names.</summary>
    private const int MostJudged = 100;

    /// <summary>Why a request is refused before anything of it is kept; null: it is not.</summary>
    public static ApiError? Check(ChatKitRequest request) => request switch
    {
        // Nothing of a recording is kept.
        InputTranscribeRequest => null,
        ThreadsAddClientToolOutputRequest => Most(request, "params.result", MostBytesOfResult),
        ThreadsUpdateRequest { Params.Title: var title } when string.IsNullOrWhiteSpace(title) || title.Length > MostTitle =>
            ApiError.InvalidValue("params.title", $"expected 1 to {MostTitle} characters."),
        ItemsFeedbackRequest { Params.ItemIds.Count: > MostJudged } =>
            ApiError.InvalidValue("params.item_ids", $"expected {MostJudged} items at the most."),
        AttachmentsCreateRequest { Params.Size: < 0 } => ApiError.InvalidValue("params.size", "expected the file's length in bytes, 1 or more."),
        _ => Most(request, "params", MostBytes),
    };

    private static ApiError? Most(ChatKitRequest request, string param, int most) =>
        ChatKitJson.ToStore(request).Length > most ? ApiError.ValueTooLarge(param, most) : null;
}
