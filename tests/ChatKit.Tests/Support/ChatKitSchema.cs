using ChatKit.Tests.Support;
using Gateway.Tests.Support;

[assembly: AssemblyFixture(typeof(ChatKitSchema))]

namespace ChatKit.Tests.Support;

/// <summary>Validates JSON against the protocol's schema. Thread-safe.</summary>
public sealed class ChatKitSchema() : SchemaFile("chatkit-schema.json");
