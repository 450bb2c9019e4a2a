using Gateway.Http;

namespace Gateway.Upstream;

/// <summary>Passes an upstream's whole reply on to the caller, byte for byte; <see cref="ChatRelay"/> does so for streams.</summary>
internal sealed class PlainRelay(ModelCalls models)
{
    /// <summary>Runs a call to its end: the reply, or a refusal with a status of its own.</summary>
    /// <param name="rewrite">Makes another reply of the upstream's, for callers who speak an older form; null: as it is.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task RunAsync(
        HttpContext http, UpstreamCall call, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? rewrite, CancellationToken cancel)
    {
        var facts = RequestFacts.Of(http);
        var (answered, failure) = await models.SendAsync(call, cancel);
        facts.Deployment = call.Trail!.LastDeployment;
        AttemptHeaders.Set(http, call);
        if (answered is not PlainReply reply)
        {
            await models.Error(call, failure).RefuseAsync(http);
            return;
        }

        using (reply)
        {
            call.Usage.SawContent();
            var bytes = rewrite?.Invoke(reply.Bytes) ?? reply.Bytes;
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = bytes.Length;
            await http.Response.BodyWriter.WriteAsync(bytes, cancel);
        }
    }
}
