using System.Runtime.InteropServices;
using Gateway.Observability;

namespace Gateway.Usage;

/// <summary>
/// The journal's background thread: brings it to the disk every 25 ms, makes the next segment ahead, and says so when
/// neither can be done.
/// </summary>
internal sealed class JournalKeeper(JournalFiles files, UsageJournal journal, TimeProvider clock, ILogger<JournalKeeper> log)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AlarmInterval = TimeSpan.FromSeconds(10);

    /// <summary>SIGXFSZ, of Linux and of macOS, which ends a process that writes beyond its limit for files.</summary>
    private const PosixSignal FileTooLarge = (PosixSignal)25;

    private readonly ManualResetEventSlim _stop = new();
    private readonly IDisposable _pending = GatewayMetrics.JournalPendingRows.Register(() => journal.PendingRows);
    private readonly IDisposable _bytes = GatewayMetrics.JournalBytes.Register(() => journal.JournalBytes);
    private PosixSignalRegistration? _tooLarge;
    private Thread? _thread;
    private bool _isFailing;
    private long _lastTry;
    private long _lastAlarm;

    /// <summary>The first segment is there before the server listens; without one it serves all the same.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Such a limit is a full disk like any other: the write fails as well, and that is handled.
        _tooLarge = PosixSignalRegistration.Create(FileTooLarge, signal => signal.Cancel = true);
        Tend();
        // A thread of its own: it waits for disks, which a pool's thread should not.
        _thread = new Thread(Run) { IsBackground = true, Name = "usage journal" };
        _thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Set();
        _thread?.Join();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _tooLarge?.Dispose();
        _pending.Dispose();
        _bytes.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(FlushInterval))
        {
            Flush();
            Tend();
        }

        Flush();
    }

    private void Flush()
    {
        try
        {
            files.Flush();
        }
        // Whatever it is: .NET calls a file that may not grow an argument out of range.
        catch (Exception failed)
        {
            Alarm(failed, isNew: _lastAlarm == 0);
        }
    }

    private void Tend()
    {
        if (!files.NeedsSpare || (_isFailing && clock.GetElapsedTime(_lastTry) < RetryInterval))
        {
            return;
        }

        _lastTry = clock.GetTimestamp();
        try
        {
            files.Tend();
            if (files.NeedsSpare)
            {
                files.Tend();
            }

            if (_isFailing)
            {
                _isFailing = false;
                log.JournalRestored(journal.UnwrittenStarts, journal.UnwrittenEnds, journal.LostRecords);
            }
        }
        catch (Exception failed)
        {
            Alarm(failed, isNew: !_isFailing);
            _isFailing = true;
        }
    }

    private void Alarm(Exception failed, bool isNew)
    {
        if (isNew || clock.GetElapsedTime(_lastAlarm) >= AlarmInterval)
        {
            _lastAlarm = clock.GetTimestamp();
            log.JournalUnwritable(failed.Message, journal.UnwrittenStarts, journal.UnwrittenEnds, journal.LostRecords);
        }
    }
}
