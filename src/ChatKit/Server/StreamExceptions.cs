namespace ChatKit;

/// <summary>Thrown by a handler: ends the stream with an error whose message the client shows.</summary>
/// <param name="message">Shown to the user.</param>
/// <param name="allowRetry">Whether the client offers to try again. False by default.</param>
public sealed class CustomStreamException(string message, bool allowRetry = false) : Exception(message)
{
    /// <summary>Whether the client offers to try again.</summary>
    public bool AllowRetry { get; } = allowRetry;
}

/// <summary>Thrown by a handler: ends the stream with an error for which the client has a text of its own.</summary>
/// <param name="code">One that the client knows; <c>stream.error</c> by default.</param>
/// <param name="allowRetry">Whether the client offers to try again. By default true for <c>stream.error</c> and false for any other.</param>
public sealed class StreamErrorException(string code = ErrorEvent.StreamErrorCode, bool? allowRetry = null) : Exception($"The stream ends with the error '{code}'.")
{
    /// <summary>One that the client knows.</summary>
    public string Code { get; } = code;

    /// <summary>Whether the client offers to try again.</summary>
    public bool AllowRetry { get; } = allowRetry ?? code == ErrorEvent.StreamErrorCode;
}

/// <summary>What the client is told of an exception.</summary>
internal static class StreamErrors
{
    /// <summary>Whether the exception says something to the client on purpose; all others are faults, whose text stays here.</summary>
    public static bool IsMeant(Exception error) =>
        error is CustomStreamException or StreamErrorException or InvalidRequestException or (RequestRefusedException and not NotFoundException);

    public static ErrorEvent EventOf(Exception error) => error switch
    {
        CustomStreamException custom => new ErrorEvent { Message = custom.Message, AllowRetry = custom.AllowRetry },
        StreamErrorException coded => new ErrorEvent { Code = coded.Code, AllowRetry = coded.AllowRetry },
        _ when IsMeant(error) => new ErrorEvent { Message = error.Message },
        _ => new ErrorEvent { Code = ErrorEvent.StreamErrorCode, AllowRetry = true },
    };
}
