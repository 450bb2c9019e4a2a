using System.Text.Json.Serialization;

namespace Gateway.Benchmarks.Allocations;

/// <summary>What was counted, in bytes. Printed as one line of JSON; a part that was not asked for is absent.</summary>
internal sealed record AllocationFigures
{
    /// <summary>Of the relay of a model's stream, between an upstream and a caller in memory: each kind of stream, bytes a chunk.</summary>
    public IReadOnlyDictionary<string, double>? RelayPerChunk { get; init; }

    /// <summary>From a chunk of the model's to the bot's: each kind of chunk, bytes a chunk.</summary>
    public IReadOnlyDictionary<string, double>? BotPerChunk { get; init; }

    /// <summary>The whole gateway over sockets, one chunk at a time.</summary>
    public double? GatewayPerChunk { get; init; }

    /// <summary>The same through bare YARP.</summary>
    public double? YarpPerChunk { get; init; }

    /// <summary>The whole gateway over sockets, a plain request and its reply.</summary>
    public double? GatewayPerRequest { get; init; }

    public double? YarpPerRequest { get; init; }

    /// <summary>The same of a stream of one chunk.</summary>
    public double? GatewayPerStream { get; init; }

    public double? YarpPerStream { get; init; }

    /// <summary>The same of a bot's turn: a plain request, which a stream of ten chunks answers.</summary>
    public double? GatewayPerTurn { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AllocationFigures))]
internal sealed partial class AllocationJson : JsonSerializerContext;
