namespace Gateway.Data.Embedded;

/// <summary>Why there is no embedded database, and the way on. The message is meant for the operator as it stands.</summary>
internal sealed class EmbeddedPostgresException(string message, Exception? inner = null) : Exception(message, inner);
