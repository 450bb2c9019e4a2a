using ChatKit;
using Gateway.Http;

namespace Gateway.ChatKit;

/// <summary>What the library refuses, as the gateway's refusals.</summary>
internal static class ChatKitErrors
{
    public static ApiError Of(RequestRefusedException refused) => ApiError.OfChatKit(refused.Status, refused.Code, refused.Message);

    public static ApiError Of(InvalidRequestException wrong) => ApiError.InvalidObject(wrong.Message) with { Param = wrong.Path };
}
