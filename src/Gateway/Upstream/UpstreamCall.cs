using System.Text.Json;
using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Upstream;

/// <summary>One thing to ask of a model; how many attempts that takes is Upstream's business.</summary>
internal sealed class UpstreamCall
{
    private long? _promptTokens;

    public required ModelRoute Route { get; init; }

    /// <summary>Below the provider's base URL, such as <c>chat/completions</c>.</summary>
    public required string Path { get; init; }

    /// <summary>What the caller sent, or a bot composed. Must stay as it is until the call is over.</summary>
    public required JsonBody Body { get; init; }

    /// <summary>Where each attempt is recorded.</summary>
    public required RequestUsage Usage { get; init; }

    /// <summary>The step of a bot that asks, to which each attempt is added as well; null: no bot does.</summary>
    public StepUsage? Step { get; set; }

    public bool IsStream { get; init; }

    /// <summary>Whether the usage chunk was asked for; if not, it is asked for all the same and kept from the caller.</summary>
    public bool WantsUsage { get; init; }

    /// <summary>How many choices the reply is to have.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>
    /// Parameters that the last attempt did not send because the upstream does not take them, as the header names them.
    /// Replaced as a whole: a keep-alive may send the headers from another thread.
    /// </summary>
    public IReadOnlyList<string> DroppedParams { get; set; } = [];

    /// <summary>Of the prompt, estimated.</summary>
    public long PromptTokens => _promptTokens ??= PromptEstimate.Prompt(Body);

    /// <summary>Where it was sent; null before it was.</summary>
    public AttemptTrail? Trail { get; set; }

    /// <summary>The same call with another body.</summary>
    public UpstreamCall With(JsonBody body) => new()
    {
        Route = Route,
        Path = Path,
        Body = body,
        Usage = Usage,
        Step = Step,
        IsStream = IsStream,
        WantsUsage = WantsUsage,
        Choices = Choices,
    };

    /// <summary>What it may use at most, at the model that was asked for or the dearest of its fallbacks.</summary>
    public Need Need()
    {
        var prompt = PromptTokens;
        var output = PromptEstimate.Output(Body, Route.Model, Choices, prompt);
        return new Need(prompt + output, Route.MostUsd(prompt, output))
        {
            IsFirm = PromptEstimate.Asked(Body) is not null,
            Model = Route.Name,
        };
    }

    /// <summary>Whether a request for a stream asks for the usage chunk.</summary>
    public static bool AsksForUsage(JsonBody body) =>
        body.TryGet("stream_options"u8, out var options)
        && JsonBody.TryRead(body.Value(options), null, out var inner, out _)
        && inner.TryGet("include_usage"u8, out var asked) && asked.Kind == JsonTokenType.True;
}
