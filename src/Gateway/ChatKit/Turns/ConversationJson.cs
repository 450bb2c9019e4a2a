using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.ChatKit.Turns;

[JsonSerializable(typeof(IReadOnlyDictionary<string, JsonElement>))]
internal sealed partial class ConversationJson : JsonSerializerContext;
