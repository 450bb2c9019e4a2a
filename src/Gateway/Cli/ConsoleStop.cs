using System.Runtime.InteropServices;

namespace Gateway.Cli;

/// <summary>Ctrl-C and SIGTERM before the host listens to them: a start that waits for its database can be given up.</summary>
internal sealed class ConsoleStop : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _signals;

    public ConsoleStop() => _signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
    ];

    public CancellationToken Token => _stop.Token;

    /// <summary>From here on the host handles signals itself.</summary>
    public void HandOver()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    public void Dispose()
    {
        HandOver();
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Cancel();
    }
}
