namespace Gateway.Simulator;

internal sealed class SimulatorOptions
{
    /// <summary>Where it listens, several parted by <c>;</c>. A free loopback port by default.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:0";

    /// <summary>Dates the replies and times the waits. The system's clock by default.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
