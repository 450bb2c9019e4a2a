using Gateway.Tests.ChatKit;
using Gateway.Tests.Support;

[assembly: AssemblyFixture(typeof(ChatKitContract))]

namespace Gateway.Tests.ChatKit;

/// <summary>Validates JSON against the schema of the ChatKit protocol. Thread-safe.</summary>
public sealed class ChatKitContract() : SchemaFile("chatkit-schema.json");
