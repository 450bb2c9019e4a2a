using Gateway.Benchmarks.Processes;

namespace Gateway.Benchmarks.Systems;

/// <summary>Something that requests can be sent to: the upstream itself, or a proxy in front of it.</summary>
/// <param name="Name">As it stands in reports: <c>direct</c>, <c>nginx</c>, <c>yarp</c>, <c>gateway</c>, <c>portkey</c>.</param>
/// <param name="Url">Scheme, host and port.</param>
/// <param name="Process">The program in between; null: there is none.</param>
internal sealed record BenchSystem(string Name, string Url, OwnProcess? Process)
{
    public const string Direct = "direct";
    public const string Nginx = "nginx";
    public const string Yarp = "yarp";
    public const string Ours = "gateway";
    public const string Portkey = "portkey";

    /// <summary>Every system gets a key, so that all of them read the same bytes.</summary>
    public string Key { get; init; } = "none";

    /// <summary>Sent to every system beside the key, <c>name: value</c>; Portkey reads them.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];
}
