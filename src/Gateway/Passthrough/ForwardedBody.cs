using System.Text;
using System.Text.Json;
using Gateway.Http;
using Gateway.Upstream;

namespace Gateway.Passthrough;

/// <summary>What a caller wants forwarded. It can be opened again for each attempt.</summary>
internal interface IForwardedBody : IDisposable
{
    /// <summary>As it is sent upstream.</summary>
    string ContentType { get; }

    /// <summary>Whether the caller asks for events instead of one reply.</summary>
    bool IsStream { get; }

    /// <summary>Tokens of the prompt, estimated; 0 where its bytes say nothing of them.</summary>
    long PromptTokens { get; }

    /// <summary>The body for one deployment, from its beginning and with its length known.</summary>
    /// <param name="dropped">Takes the names of parameters that are left out.</param>
    Stream Open(ModelRoute route, Deployment deployment, List<string> dropped);
}

/// <summary>A JSON body in memory.</summary>
internal sealed class ForwardedJson(RequestBody bytes, JsonBody body) : IForwardedBody
{
    public string ContentType => "application/json";

    public bool IsStream { get; } = body.TryGet("stream"u8, out var stream) && stream.Kind == JsonTokenType.True;

    public long PromptTokens { get; } = PromptEstimate.Prompt(body);

    public Stream Open(ModelRoute route, Deployment deployment, List<string> dropped)
    {
        // Not a stream for UpstreamBody, which would ask for a usage event that only completions know.
        var edited = UpstreamBody.Build(body, route, deployment, unsupported: null, dropped);
        return new MemoryStream(edited.ToArray(), writable: false);
    }

    public void Dispose() => bytes.Dispose();
}

/// <summary>A form on disk.</summary>
internal sealed class ForwardedForm(SpooledBody bytes, MultipartForm form, string contentType, bool isStream) : IForwardedBody
{
    public string ContentType => contentType;

    public bool IsStream => isStream;

    public long PromptTokens => 0;

    public Stream Open(ModelRoute route, Deployment deployment, List<string> dropped)
    {
        var body = new SplicedBody(bytes);
        var parts = form.Parts;
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            if (part.Name == "model")
            {
                body.Replace(part.ContentStart, part.ContentEnd, Encoding.UTF8.GetBytes(deployment.UpstreamModel ?? route.Name));
            }
            else if (route.Model.DropParams.Contains(part.Name))
            {
                body.Replace(part.Start, i + 1 < parts.Count ? parts[i + 1].Start : form.End, default);
                dropped.Add(part.Name);
            }
        }

        body.Finish();
        return body;
    }

    public void Dispose() => bytes.Dispose();
}
