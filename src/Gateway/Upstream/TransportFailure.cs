using System.Net.Sockets;

namespace Gateway.Upstream;

/// <summary>What went wrong on the way to a provider, for the operator's log.</summary>
internal static class TransportFailure
{
    /// <summary>
    /// The kind of failure, and a socket's own code: enough to tell a wrong name from a closed port and a bad certificate.
    /// Not the exception's text, which may hold an address with a credential in it.
    /// </summary>
    public static string Describe(Exception failure) => failure switch
    {
        HttpRequestException { StatusCode: { } status } => $"status {(int)status}",
        HttpRequestException { InnerException: SocketException socket } => socket.SocketErrorCode.ToString(),
        HttpRequestException http => http.HttpRequestError.ToString(),
        OperationCanceledException => "no answer in time",
        _ => failure.GetType().Name,
    };
}
