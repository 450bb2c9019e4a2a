using System.Text.Json.Serialization;
using ChatKit.Widgets;

namespace ChatKit.Json;

/// <summary>
/// The contracts of all messages. Used through <see cref="ChatKitJson"/> alone, which adds what tells the wire from the
/// store. Widgets, whose members are in camelCase, have converters of their own.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ChatKitRequest))]
[JsonSerializable(typeof(StreamEvent))]
[JsonSerializable(typeof(ThreadItemUpdate))]
[JsonSerializable(typeof(ChatThread))]
[JsonSerializable(typeof(ThreadView))]
[JsonSerializable(typeof(ThreadItem))]
[JsonSerializable(typeof(Attachment))]
[JsonSerializable(typeof(CustomSummary))]
[JsonSerializable(typeof(DurationSummary))]
[JsonSerializable(typeof(WidgetRoot))]
[JsonSerializable(typeof(WidgetComponent))]
[JsonSerializable(typeof(Page<ThreadItem>))]
[JsonSerializable(typeof(Page<ThreadView>))]
[JsonSerializable(typeof(Page<ChatThread>))]
[JsonSerializable(typeof(SyncActionResult))]
[JsonSerializable(typeof(TranscriptionResult))]
[JsonSerializable(typeof(EmptyResponse))]
internal sealed partial class ChatKitJsonContext : JsonSerializerContext;
