using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ChatKit.Json;
using ChatKit.Widgets;

namespace ChatKit;

/// <summary>
/// The JSON of the protocol, in two forms made from the same records. The <see cref="Wire"/> form is what a client gets:
/// metadata of attachments is left out, metadata of threads is an empty object, and an item that is hidden context cannot
/// be written at all. The <see cref="Store"/> form keeps everything. Both leave out members that are null, write members
/// that have a default, keep nulls in free-form objects, and write UTF-8 without escaping what is not ASCII.
/// </summary>
public static class ChatKitJson
{
    /// <summary>How deep a document may nest. Deeper than a request may, because a request's value is put into items and pages.</summary>
    private const int MaxDepth = 256;

    /// <summary>
    /// Polymorphic contracts. A value must be written as one of these, because as its own type it would lack its <c>type</c>.
    /// </summary>
    private static readonly Type[] Contracts =
    [
        typeof(ChatKitRequest), typeof(StreamEvent), typeof(ThreadItemUpdate), typeof(ThreadItem), typeof(Attachment),
        typeof(WidgetRoot), typeof(WidgetComponent),
    ];

    /// <summary>What goes to a client. Writing a hidden item with these throws <see cref="NotSupportedException"/>.</summary>
    public static JsonSerializerOptions Wire { get; } = Options(ForClients);

    /// <summary>What a store keeps: nothing is left out.</summary>
    public static JsonSerializerOptions Store { get; } = Options(_ => { });

    /// <summary>Writes an event, an answer, an item or a request in the form for clients, as UTF-8.</summary>
    /// <typeparam name="T">Any event, request, item, attachment, page or answer of this library.</typeparam>
    /// <exception cref="NotSupportedException">The value holds a hidden item, or is of a type that is not part of the protocol.</exception>
    public static byte[] ToWire<T>(T value)
        where T : notnull => Write(value, Wire);

    /// <summary>Writes a thread, an item or an attachment in the form for stores, as UTF-8.</summary>
    /// <typeparam name="T">Any record of this library; usually <see cref="ChatThread"/>, <see cref="ThreadItem"/> or <see cref="Attachment"/>.</typeparam>
    /// <exception cref="NotSupportedException">The value is of a type that is not part of the protocol.</exception>
    public static byte[] ToStore<T>(T value)
        where T : notnull => Write(value, Store);

    /// <summary>Reads what <see cref="ToStore{T}"/> wrote, now or with an earlier version of this library.</summary>
    /// <typeparam name="T"><see cref="ChatThread"/>, <see cref="ThreadItem"/>, <see cref="Attachment"/>, or one kind of item or attachment.</typeparam>
    /// <exception cref="JsonException">Not such a document: a required member is missing, or one has a wrong type.</exception>
    public static T FromStore<T>(ReadOnlySpan<byte> utf8Json) =>
        (T)(JsonSerializer.Deserialize(utf8Json, Store.GetTypeInfo(ContractOf(typeof(T))))
            ?? throw new JsonException("The document is null."));

    /// <summary>A copy that shares nothing with the original, so that later changes to either do not reach the other.</summary>
    /// <typeparam name="T">Any record of this library.</typeparam>
    public static T Copy<T>(T value)
        where T : notnull => FromStore<T>(ToStore(value));

    private static byte[] Write<T>(T value, JsonSerializerOptions options)
        where T : notnull => JsonSerializer.SerializeToUtf8Bytes(value, options.GetTypeInfo(ContractOf(value.GetType())));

    private static Type ContractOf(Type type) => Array.Find(Contracts, contract => contract.IsAssignableFrom(type)) ?? type;

    private static JsonSerializerOptions Options(Action<JsonTypeInfo> change)
    {
        var options = new JsonSerializerOptions(ChatKitJsonContext.Default.Options)
        {
            Encoder = PlainTextEncoder.Instance,
            MaxDepth = MaxDepth,
            TypeInfoResolver = ChatKitJsonContext.Default.WithAddedModifier(change),
        };
        options.MakeReadOnly();
        return options;
    }

    private static void ForClients(JsonTypeInfo contract)
    {
        if (contract.Type == typeof(ThreadItem))
        {
            var kinds = contract.PolymorphismOptions!.DerivedTypes;
            foreach (var hidden in kinds.Where(kind => kind.DerivedType.IsAssignableTo(typeof(HiddenItem))).ToList())
            {
                kinds.Remove(hidden);
            }
        }
        else if (contract.Type.IsAssignableTo(typeof(Attachment)))
        {
            MetadataOf(contract).ShouldSerialize = (_, _) => false;
        }
        else if (contract.Type == typeof(ChatThread))
        {
            MetadataOf(contract).Get = _ => new JsonObject();
        }
    }

    private static JsonPropertyInfo MetadataOf(JsonTypeInfo contract) => contract.Properties.Single(member => member.Name == "metadata");
}
