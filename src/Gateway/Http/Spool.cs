using System.Buffers;
using Gateway.Data;
using Gateway.Observability;
using Microsoft.AspNetCore.Connections;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Http;

/// <summary>
/// Takes request bodies that are too large for memory to disk, under <c>spool</c> in the data directory. A file has no
/// name any more once it is open, so that nothing is left behind, not even by a killed gateway.
/// </summary>
internal sealed class Spool(GatewaySettings settings, BodyLimits limits, ILogger<Spool> log)
{
    private const int BufferBytes = 64 * 1024;

    // What the system says of a disk that takes no more: ENOSPC, EDQUOT, EFBIG, ERROR_DISK_FULL.
    private const int NoSpace = 28;
    private const int OverQuota = 122;
    private const int TooLargeForDisk = 27;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Reads a body to its end, up to the operator's limit for uploads.</summary>
    /// <returns>Either the body, or why it is refused.</returns>
    /// <exception cref="BadHttpRequestException">The body came too slowly, or broke HTTP's rules.</exception>
    /// <exception cref="ConnectionResetException">The caller left.</exception>
    /// <exception cref="IOException">The disk does not take it, for another reason than being full.</exception>
    public async Task<(SpooledBody? Body, ApiError? Error)> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        var request = http.Request;
        if (request.Headers.ContentEncoding is [{ Length: > 0 } encoding] && encoding != "identity")
        {
            return (null, ApiError.UnsupportedEncoding(encoding));
        }

        var limit = limits.MaxUploadBytes;
        if (request.ContentLength > limit)
        {
            return (null, RequestBody.TooLarge(http, limit));
        }

        try
        {
            return await WriteAsync(http, limit, cancel);
        }
        catch (IOException full) when (full.HResult is NoSpace or OverQuota or TooLargeForDisk or WindowsDiskFull)
        {
            log.DiskFull(Folder);
            http.Response.Headers.Connection = "close";
            return (null, ApiError.DiskFull());
        }
    }

    private string Folder => Path.Combine(settings.AbsoluteDataDirectory, "spool");

    private async Task<(SpooledBody? Body, ApiError? Error)> WriteAsync(HttpContext http, long limit, CancellationToken cancel)
    {
        var file = Create();
        var isKept = false;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0L;
            while (await RequestBody.ReadSomeAsync(http.Request, buffer, cancel) is > 0 and var read)
            {
                if (length + read > limit)
                {
                    return (null, RequestBody.TooLarge(http, limit));
                }

                await WriteAsync(file, buffer.AsMemory(0, read), length, cancel);
                length += read;
            }

            if (length == 0)
            {
                return (null, ApiError.EmptyBody());
            }

            isKept = true;
            return (new SpooledBody(file, length), null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (!isKept)
            {
                file.Dispose();
            }
        }
    }

    private static async ValueTask WriteAsync(SafeFileHandle file, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancel)
    {
        try
        {
            await RandomAccess.WriteAsync(file, bytes, offset, cancel);
        }
        catch (ArgumentOutOfRangeException tooLarge)
        {
            // The framework's word for EFBIG, the only trouble of a disk that it takes for a mistake of ours.
            throw new IOException(tooLarge.Message, TooLargeForDisk);
        }
    }

    private SafeFileHandle Create()
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, Guid.NewGuid().ToString("N"));
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            // Windows deletes an open file only with this.
            Share = FileShare.Delete,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        // Only a stream can be opened with a file mode; its handle is all that is kept.
        var file = new FileStream(path, options).SafeFileHandle;
        File.Delete(path);
        return file;
    }
}

/// <summary>A request body on disk, which can be read from anywhere and as often as needed. Disposing deletes it.</summary>
internal sealed class SpooledBody(SafeFileHandle file, long length) : IDisposable
{
    public long Length { get; } = length;

    /// <summary>Reads from an offset; less than the buffer holds only at the body's end, where it is 0.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancel)
    {
        var filled = 0;
        while (filled < buffer.Length && await RandomAccess.ReadAsync(file, buffer[filled..], offset + filled, cancel) is > 0 and var read)
        {
            filled += read;
        }

        return filled;
    }

    public void Dispose() => file.Dispose();
}
