using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// One run of the load generator: connections, and what is done when something comes on one of them. One thread does it all.
/// </summary>
internal abstract class LoadRun : IDisposable
{
    /// <summary>A system that answers nothing right is not asked for ever.</summary>
    private const int MostErrors = 100;

    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly LoadConnection[] _connections;
    private long _errors;
    private string? _firstError;

    protected LoadRun(LoadOptions options, bool isStream)
    {
        Options = options;
        Request = RequestBytes.Make(options, isStream, out var bodyBytes);
        BodyBytes = bodyBytes;
        var target = new IPEndPoint(IPAddress.Parse(options.Target.Host), options.Target.Port);
        _connections = [.. Enumerable.Range(0, options.Connections).Select(tag => new LoadConnection(tag, target, _epoll))];
    }

    protected LoadOptions Options { get; }

    protected byte[] Request { get; }

    protected int BodyBytes { get; }

    protected IReadOnlyList<LoadConnection> Connections => _connections;

    protected long Began { get; private set; }

    /// <summary>What is before it is warm-up.</summary>
    protected long MeasuredFrom { get; private set; }

    /// <summary>The measured time is over.</summary>
    protected long Until { get; private set; }

    protected long BytesReceived { get; private set; }

    /// <summary>When there is something to do though nothing has arrived.</summary>
    protected virtual long WakeAt => Until;

    public LoadFigures Run()
    {
        try
        {
            foreach (var connection in _connections)
            {
                connection.Open();
            }

            Began = LoadClock.Now;
            MeasuredFrom = Began + LoadClock.Seconds(Options.WarmUpSeconds);
            Until = MeasuredFrom + LoadClock.Seconds(Options.Seconds);
            Loop();
        }
        catch (SocketException gone)
        {
            Note($"{Options.Target} takes no connection: {gone.Message}");
        }

        return Complete(new LoadFigures
        {
            Kind = Options.Kind,
            Seconds = Options.Seconds,
            Errors = _errors,
            FirstError = _firstError,
            BytesReceived = BytesReceived,
        });
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _epoll.Dispose();
    }

    /// <summary>Called before anything is waited for, and after whatever came was dealt with.</summary>
    protected abstract void OnTime(long now);

    /// <summary>A part of the reply has come.</summary>
    protected virtual void Received(LoadConnection connection, long now)
    {
    }

    /// <summary>The reply is whole. The connection is free for the next request afterwards.</summary>
    protected abstract void Answered(LoadConnection connection, long now);

    protected virtual bool IsOver(long now) => now >= Until;

    /// <summary>Adds what was measured.</summary>
    protected abstract LoadFigures Complete(LoadFigures figures);

    protected bool IsMeasured(long now) => now >= MeasuredFrom && now < Until;

    /// <summary>Sends the request; a connection that the system has closed meanwhile is opened anew.</summary>
    protected void Send(LoadConnection connection, long since)
    {
        try
        {
            connection.Send(Request, since);
        }
        catch (SocketException)
        {
            connection.Open();
            connection.Send(Request, since);
        }
    }

    /// <summary>Counts an error; the connection starts afresh.</summary>
    protected void Fail(LoadConnection connection, string why)
    {
        Note(why);
        connection.Open();
    }

    protected void Note(string error)
    {
        _errors++;
        _firstError ??= error;
    }

    /// <summary>Whether a plain reply is what it must be.</summary>
    protected bool IsRight(ReplyReader reply) =>
        reply.Status == 200 && reply.Body.Length >= Options.Expected.ContentLength
        && reply.Body.IndexOf("\"finish_reason\":\"stop\""u8) >= 0;

    protected static string Describe(ReplyReader reply) =>
        $"status {reply.Status}: {Encoding.UTF8.GetString(reply.Body[..Math.Min(reply.Body.Length, 300)])}";

    private void Loop()
    {
        List<int> ready = [];
        OnTime(LoadClock.Now);
        while (!IsOver(LoadClock.Now) && _errors <= MostErrors)
        {
            _epoll.Wait(WakeAt, ready);
            foreach (var tag in ready)
            {
                Serve(_connections[tag]);
            }

            OnTime(LoadClock.Now);
        }
    }

    private void Serve(LoadConnection connection)
    {
        try
        {
            connection.SendMore();
            if (connection.Receive(_buffer) is not { } received)
            {
                return;
            }

            var now = LoadClock.Now;
            BytesReceived += received;
            connection.Reply.Feed(_buffer.AsSpan(0, received));
            if (received == 0)
            {
                connection.Reply.Closed();
            }

            Take(connection, received == 0, now);
        }
        catch (Exception broken) when (broken is SocketException or InvalidDataException)
        {
            Fail(connection, broken.Message);
        }
    }

    private void Take(LoadConnection connection, bool isClosed, long now)
    {
        Received(connection, now);
        if (connection is { IsBusy: true, Reply.IsWhole: true })
        {
            connection.IsBusy = false;
            Answered(connection, now);
            isClosed |= connection.Reply.ClosesAfter;
        }

        // An idle connection may be closed at any time.
        if (isClosed && connection.IsBusy)
        {
            Fail(connection, "the connection was closed before the reply was whole");
        }
        else if (isClosed)
        {
            connection.Open();
        }
    }
}
