using Gateway.Tests.Support;

[assembly: AssemblyFixture(typeof(SchemaValidator))]

namespace Gateway.Tests.Support;

/// <summary>Validates JSON against OpenAI's schemas. Thread-safe.</summary>
public sealed class SchemaValidator() : SchemaFile("openai-chat-schemas.json");
